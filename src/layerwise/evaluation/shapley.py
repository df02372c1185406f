"""Contributions of columns to an answer: Shapley values by permutations (Strumbelj & Kononenko 2014)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from layerwise.utils import numpy_rng

INPUTS_AT_A_TIME = 2_000_000


def antithetic_permutations(n_rows: int, n_columns: int, seed: int) -> np.ndarray:
    """Return orders of columns for background rows, (2 n_rows, n_columns): for each row one by chance, and its reverse.

    The two of a pair err in opposite directions (Mitchell et al. 2022).
    """
    rng = numpy_rng(seed, "shapley")
    first = np.stack([rng.permutation(n_columns) for _ in range(n_rows)])
    return np.stack([first, first[:, ::-1]], 1).reshape(-1, n_columns)


def shapley_values(
    function: Callable[[Tensor], Tensor],
    rows: Tensor,
    background: Tensor,
    columns: Sequence[Sequence[int]],
    permutations: np.ndarray,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return what each column adds to the answers of rows, the answers, and what they begin at.

    v(S) is the mean answer to background rows that have a row's own values in the columns S. Along a permutation the
    columns of a background row become the row's own, one after the other, and each one's contribution is by how much
    the answer moves; its Shapley value is the mean over all orders and background rows, here over those given.
    Whichever they are, the contributions add up to the answer less the base.

    Args:
        function: inputs (m, n_inputs) to answers (m, outputs).
        rows: (n, n_inputs).
        background: (b, n_inputs).
        columns: the inputs of each column.
        permutations: (p, n_columns), p a multiple of b: as many for each background row, those of a row together.

    Returns:
        Contributions (n, n_columns, outputs), answers (n, outputs) and the base (outputs,), all float64.
    """
    of_row = np.repeat(np.arange(len(background)), len(permutations) // len(background))
    inputs_of = torch.zeros(len(columns), rows.shape[1], dtype=torch.bool, device=rows.device)
    for k, inputs in enumerate(columns):
        inputs_of[k, list(inputs)] = True
    # (p, steps, n_inputs): which inputs are the row's own before the last step.
    order = torch.from_numpy(permutations.copy())
    own = inputs_of[order].cumsum(1)[:, :-1] > 0
    start = background[torch.from_numpy(of_row)][:, None]
    first = function(background).double()
    answers = function(rows).double()
    n_columns, found = len(columns), []
    together = max(1, INPUTS_AT_A_TIME // max(own.numel(), 1))
    for part, last in zip(rows.split(together), answers.split(together), strict=True):
        mixed = torch.where(own, part[:, None, None], start)
        # Of a single column there is nothing between the background and the row.
        between = function(mixed.reshape(-1, rows.shape[1])).double() if n_columns > 1 else answers[:0]
        between = between.view(len(part), len(permutations), n_columns - 1, answers.shape[1])
        begins = first[torch.from_numpy(of_row)].expand(len(part), -1, -1)[:, :, None]
        ends = last[:, None, None].expand(-1, len(permutations), 1, -1)
        steps = torch.cat([begins, between, ends], 2).diff(dim=2)
        # Back from the order of the permutation to that of the columns.
        places = order.argsort(1)[None, :, :, None].expand(len(part), -1, -1, steps.shape[3])
        found.append(steps.gather(2, places).mean(1))
    return torch.cat(found), answers, first.mean(0)
