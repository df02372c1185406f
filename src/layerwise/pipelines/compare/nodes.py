"""Cross-validate several pipelines on the same folds, fold by fold, as long as there is time."""

import logging
import time
from collections.abc import Mapping
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
    began, done = time.monotonic(), {str(name): list[Fold]() for name in compare.models}
    out_of_time = set[str]()
    for k in range(len(folds.root)):
        for name, own in done.items():
            expected = max((each.seconds for each in own), default=0.0)
            late = time.monotonic() - began + expected > limit
            if name in out_of_time or (late and any(len(each) > 1 for each in done.values())):
                out_of_time.add(name)
                continue
            own.append(run_fold(candidates[name], raw, folds, k, given))
    for name in out_of_time:
        log.warning("%s had time for %d of %d folds", name, len(done[name]), len(folds.root))
    found = Leaderboard.of(
        problem.name, problem.task, {n: each for n, each in done.items() if each}, len(folds.root)
    )
    log.info("%s", found.conclusion())
    return found


def write_leaderboard(leaderboard: Leaderboard) -> str:
    """Write the standings as a page of HTML."""
    return leaderboard.html()
