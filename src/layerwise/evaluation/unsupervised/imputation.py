"""Imputation of missing table cells by an autoencoder, and its errors beside those of baselines."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

import torch
from pydantic import ConfigDict, RootModel
from torch import Tensor

from layerwise.data import ColumnBlock, DataSpec, raw_columns
from layerwise.utils import Config, derive_seed, torch_rng

# Numbers of reconstructions that are tried; without any, what is missing keeps its start.
ITERATIONS = (0, 1, 2, 5, 10, 20)
N_ITERATIONS = ITERATIONS[-1]
MISSING_FRACTION = 0.2
# Validation rows by which their number is chosen.
CHOOSING_ROWS = 500
IMPUTER_ROWS = 2000
MAX_ITERATIVE_COLUMNS = 100


class ColumnErrors(Config):
    """The error of one column's imputed cells by method: the autoencoder's, and those of `impute_with_baselines`."""

    column: str
    metric: str
    errors: dict[str, float]


class ImputationReport(RootModel[tuple[ColumnErrors, ...]]):
    """The errors of imputed cells by column, as `imputation_errors` has them."""

    model_config = ConfigDict(frozen=True)

    def metrics(self) -> dict[str, float]:
        """Return the autoencoder's error by column."""
        return {each.column: each.errors["autoencoder"] for each in self.root}

    def __str__(self) -> str:
        names = dict.fromkeys(name for each in self.root for name in each.errors if name != "autoencoder")
        shown = ", ".join(
            f"{name} in {sum(each.errors['autoencoder'] < each.errors[name] for each in self.root)}"
            for name in names
        )
        return f"Imputation, of {len(self.root)} columns: better than {shown}"


def mask_cells(
    n_rows: int, blocks: Sequence[ColumnBlock], fraction: float, rng: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Sample which cells are missing.

    Returns:
        Cells (n_rows, raw columns) and columns (n_rows, n_inputs), True where missing; what comes from one raw column
        is missing together. One cell at least is.
    """
    columns = raw_columns(blocks)
    cells = torch.rand(n_rows, len(columns), generator=rng, device=rng.device) < fraction
    if n_rows and not cells.any():  # of a handful of rows
        cells[0, 0] = True
    missing = cells.new_zeros(n_rows, max(block.stop for block in blocks))
    for k, parts in enumerate(columns.values()):
        missing[:, [at for block in parts for at in block.columns]] = cells[:, k : k + 1]
    return cells, missing


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
        start: (d,) or (n, d), the initial values of missing columns: the training rows' means.
        n_iterations: reconstructions one after the other.
    """
    imputed = torch.where(missing, start, rows)
    for _ in range(n_iterations):
        imputed = torch.where(missing, reconstruct(imputed), rows)
    return imputed


def choose_iterations(
    reconstruct: Callable[[Tensor], Tensor], validation: Tensor, start: Tensor, columns: DataSpec
) -> int:
    """Return how many reconstructions fill missing cells best: a network that copies what it sees can end far off.

    A fifth of the cells of validation rows (of images, of their pixels) is masked and filled, and the squared error of
    what was masked is least; 0 where no reconstruction is better than the start.

    Args:
        reconstruct: rows (n, d) to reconstructions.
        validation: (n, d).
        start: (d,) the initial values of missing columns.
        columns: what the rows are.
    """
    rows, rng = validation[:CHOOSING_ROWS], torch_rng(0, "imputation iterations")
    if columns.image_shape:
        missing = torch.rand(rows.shape, generator=rng, device=rng.device) < MISSING_FRACTION
    else:
        missing = mask_cells(len(rows), columns.blocks, MISSING_FRACTION, rng)[1]
    errors: dict[int, float] = {}
    filled = torch.where(missing, start, rows)
    for done, n_iterations in pairwise((0, *ITERATIONS)):
        filled = impute(reconstruct, filled, missing, filled, n_iterations - done)
        error = float((filled - rows)[missing].double().square().sum())
        errors[n_iterations] = math.inf if math.isnan(error) else error
    return min(errors, key=errors.__getitem__)


def impute_with_baselines(training: Tensor, rows: Tensor, missing: Tensor, seed: int) -> dict[str, Tensor]:
    """Return rows whose missing columns are those of scikit-learn's imputers, by their names.

    `mean` is each column's mean; `knn` the mean of the five nearest training rows (Troyanskaya et al. 2001);
    `iterative` a regression of each column on the others, in turn (MICE; van Buuren & Groothuis-Oudshoorn 2011), left
    out for more than 100 columns. All three are fitted on at most 2,000 training rows, the first ones.

    Args:
        training: (m, d).
        rows: (n, d); what is missing is not read.
        missing: (n, d) bool.
        seed: of the iterative imputer.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.experimental import enable_iterative_imputer  # noqa: F401
    from sklearn.impute import IterativeImputer, KNNImputer, SimpleImputer

    known, holes = training[:IMPUTER_ROWS].numpy(), rows.masked_fill(missing, torch.nan).numpy()
    imputers = {"mean": SimpleImputer(keep_empty_features=True), "knn": KNNImputer(keep_empty_features=True)}
    if rows.shape[1] <= MAX_ITERATIVE_COLUMNS:
        random_state = derive_seed(seed, "iterative imputer") % 2**32
        imputers["iterative"] = IterativeImputer(random_state=random_state, keep_empty_features=True)
    with warnings.catch_warnings():
        # Ten rounds are what it does by default; whether they were enough shows in the error.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return {
            name: torch.from_numpy(imputer.fit(known).transform(holes)).to(rows.dtype)
            for name, imputer in imputers.items()
        }


def imputation_errors(
    rows: Tensor, imputed: Mapping[str, Tensor], cells: Tensor, blocks: Sequence[ColumnBlock]
) -> ImputationReport:
    """Return, for each raw column with missing cells, the error of every method's imputed values.

    The error is the root mean squared error of numbers (in the preprocessed unit; over all parts of a date), and the
    fraction of wrong categories of others. Cells that were empty to begin with have no true value and are left out, and
    so are the indicators of empty cells.

    Args:
        rows: (n, d) the true values.
        imputed: (n, d) by method.
        cells: (n, raw columns) bool, True where missing.
        blocks: the columns.
    """
    errors_by_column: list[ColumnErrors] = []
    for k, (name, parts) in enumerate(raw_columns(blocks).items()):
        at = cells[:, k] & _was_known(rows, parts)
        if not bool(at.any()):
            continue
        values = [block for block in parts if not block.is_indicator]
        is_number = values[0].kind in ("real", "count")
        found: dict[str, float] = {}
        for method, each in imputed.items():
            if is_number:
                columns = [column for block in values for column in block.columns]
                found[method] = float((each - rows)[at][:, columns].square().mean().sqrt())
            else:
                true, predicted = (
                    _category(x[at, values[0].start : values[0].stop], values[0]) for x in (rows, each)
                )
                found[method] = float((predicted != true).float().mean())
        errors_by_column.append(
            ColumnErrors(column=name, metric="rmse" if is_number else "error", errors=found)
        )
    return ImputationReport(tuple(errors_by_column))


def _was_known(rows: Tensor, parts: Sequence[ColumnBlock]) -> Tensor:
    """Return which rows have a value of the raw column, (n,) bool; an indicator is higher where it was empty."""
    known = torch.ones(len(rows), dtype=torch.bool, device=rows.device)
    for block in parts:
        if block.is_indicator:
            indicator = rows[:, block.start]
            # Scaled with all other columns it is no longer 0 and 1; the same in every row, all have a value.
            middle = (indicator.min() + indicator.max()) / 2
            known &= (indicator <= middle) if bool(indicator.max() > indicator.min()) else known
    return known


def _category(values: Tensor, block: ColumnBlock) -> Tensor:
    """Return the likeliest category of dummies (n, k); where the first category's dummy was dropped, it is put back."""
    if block.kind == "binary":
        return (values > 0.5).long().reshape(-1)
    if len(block.categories) > values.shape[1]:
        values = torch.cat([1 - values.sum(1, keepdim=True), values], 1)
    return values.argmax(1)
