"""Cross-validate several pipelines on the same folds, fold by fold, as long as there is time."""

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import TypeAdapter

from layerwise.data import DataError, Folds, Problem, SplitSettings, split_folds as split_rows_into_folds
from layerwise.evaluation.reports import Fold, Leaderboard
from layerwise.parameters import PARAMETERS, CompareSettings
from layerwise.pipelines.cross_validation.nodes import FoldNodes, run_fold

log = logging.getLogger(__name__)
N_FOLDS = 5


def split_folds(raw: Any, problem: Problem, settings: SplitSettings, seed: int) -> Folds:
    """Split the rows into the folds that all models have: those of `split.folds`, or five."""
    if problem.task in ("ratings", "documents"):
        raise DataError(f"{problem.task} have no labels to predict: there is nothing to compare")
    settings = settings.model_copy(update={"folds": settings.folds or N_FOLDS})
    return split_rows_into_folds(raw, problem, settings, seed)


def compare_models(
    candidates: Mapping[str, FoldNodes],
    raw: Any,
    folds: Folds,
    **parameters: Any,
) -> Leaderboard:
    """Train and measure every model on one fold after the other, and return the standings.

    A model whose next fold would likely end after the time is up, as long as its slowest one so far, is left out from
    then on; so is one that has not begun by then. At least two folds of one model are done.

    Args:
        candidates: the nodes of each pipeline, by its name.
        raw: all rows.
        folds: the splits.
        parameters: that the nodes read, by their keys; `problem` and `compare` among them.
    """
    # Kedro makes models of what typed arguments name alone.
    given = {
        key: TypeAdapter(PARAMETERS[key]).validate_python(value) if key in PARAMETERS else value
        for key, value in parameters.items()
    }
    problem: Problem = given["problem"]
    compare: CompareSettings = given["compare"]
    limit = float("inf") if compare.max_minutes is None else 60 * compare.max_minutes
    done = _take_turns(
        [str(name) for name in compare.models],
        len(folds.root),
        limit,
        lambda name, k: run_fold(candidates[name], raw, folds, k, given),
    )
    found = Leaderboard.of(problem.name, problem.task, done, len(folds.root))
    log.info("%s", found.conclusion())
    return found


def _take_turns(
    names: list[str], n_folds: int, limit: float, run: Callable[[str, int], Fold]
) -> dict[str, list[Fold]]:
    """Return the folds that each model had time for; a model that had none is left out."""
    began, done = time.monotonic(), {name: list[Fold]() for name in names}
    out_of_time = set[str]()
    for k in range(n_folds):
        for name, own in done.items():
            expected = max((each.seconds for each in own), default=0.0)
            late = time.monotonic() - began + expected > limit
            if name in out_of_time or (late and any(len(each) > 1 for each in done.values())):
                out_of_time.add(name)
                continue
            own.append(run(name, k))
    for name in out_of_time:
        log.warning("%s had time for %d of %d folds", name, len(done[name]), n_folds)
    return {name: own for name, own in done.items() if own}


def write_leaderboard(leaderboard: Leaderboard) -> str:
    """Write the standings as a page of HTML."""
    return leaderboard.html()
