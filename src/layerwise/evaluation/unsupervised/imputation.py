"""Imputation of missing table cells by an autoencoder, and its errors beside a baseline's."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from pydantic import ConfigDict, RootModel
from torch import Tensor

from layerwise.data import ColumnBlock
from layerwise.utils import Config

N_ITERATIONS = 20


class ColumnErrors(Config):
    """The error of one column's imputed cells, beside that of its mean or most frequent value."""

    column: str
    metric: str
    autoencoder: float
    baseline: float


class ImputationReport(RootModel[tuple[ColumnErrors, ...]]):
    """The errors of imputed cells by column, as `imputation_errors` has them."""

    model_config = ConfigDict(frozen=True)

    def metrics(self) -> dict[str, float]:
        """Return the autoencoder's error by column."""
        return {each.column: each.autoencoder for each in self.root}

    def __str__(self) -> str:
        better = sum(each.autoencoder < each.baseline for each in self.root)
        return f"Imputation: better than the column's mean or mode in {better} of {len(self.root)} columns"


def mask_cells(
    n_rows: int, blocks: Sequence[ColumnBlock], fraction: float, rng: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Sample which cells are missing.

    Returns:
        Cells (n_rows, blocks) and columns (n_rows, n_inputs), True where missing; dummies of one category together.
    """
    cells = torch.rand(n_rows, len(blocks), generator=rng, device=rng.device) < fraction
    sizes = torch.tensor([block.stop - block.start for block in blocks], device=rng.device)
    return cells, cells.repeat_interleave(sizes, 1)


def impute(
    reconstruct: Callable[[Tensor], Tensor],
    rows: Tensor,
    missing: Tensor,
    start: Tensor,
    n_iterations: int = N_ITERATIONS,
) -> Tensor:
    """Return rows whose missing columns are the autoencoder's, each reconstruction put in as the next input.

    What is given stays as it is (Rezende et al. 2014, appendix F, without the noise).

    Args:
        reconstruct: rows (n, d) to reconstructions.
        rows: (n, d); what is missing is not read.
        missing: (n, d) bool.
        start: (d,) the initial values of missing columns: the training rows' means.
        n_iterations: reconstructions one after the other.
    """
    imputed = torch.where(missing, start, rows)
    for _ in range(n_iterations):
        imputed = torch.where(missing, reconstruct(imputed), rows)
    return imputed


def imputation_errors(
    rows: Tensor, imputed: Tensor, start: Tensor, cells: Tensor, blocks: Sequence[ColumnBlock]
) -> list[dict[str, float | str]]:
    """Return, for each block with missing cells, the errors of the imputed values and of the baseline.

    The baseline is the column's mean or its most frequent value. The error is the root mean squared error of numbers
    (in the preprocessed unit), and the fraction of wrong categories of others.

    Args:
        rows: (n, d) the true values.
        imputed: (n, d).
        start: (d,) the training rows' means.
        cells: (n, blocks) bool, True where missing.
        blocks: the columns.
    """
    errors_by_block: list[dict[str, float | str]] = []
    for k, block in enumerate(blocks):
        at = cells[:, k]
        if not bool(at.any()):
            continue
        true, predicted = rows[at, block.start : block.stop], imputed[at, block.start : block.stop]
        baseline = start[block.start : block.stop].expand_as(true)
        if block.kind in ("real", "count"):
            errors = [float((each - true).square().mean().sqrt()) for each in (predicted, baseline)]
            metric = "rmse"
        else:
            errors = [
                float((_category(each, block) != _category(true, block)).float().mean())
                for each in (predicted, baseline)
            ]
            metric = "error"
        errors_by_block.append(
            {"column": block.name, "metric": metric, "autoencoder": errors[0], "baseline": errors[1]}
        )
    return errors_by_block


def _category(values: Tensor, block: ColumnBlock) -> Tensor:
    """Return the likeliest category of dummies (n, k); of one dummy too few, the first category is the dropped one."""
    if block.kind == "binary":
        return (values > 0.5).long().reshape(-1)
    if len(block.categories) > values.shape[1]:
        values = torch.cat([1 - values.sum(1, keepdim=True), values], 1)
    return values.argmax(1)
