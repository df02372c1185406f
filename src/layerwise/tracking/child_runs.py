"""Runs below a run in MLflow: the folds of a cross-validation, or several models that were compared."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from layerwise.tracking.buffered_logger import send_records
from layerwise.tracking.run_outputs import logged_metrics

if TYPE_CHECKING:
    from mlflow import MlflowClient

    from layerwise.evaluation.metrics import ChildRun

PARENT = "mlflow.parentRunId"
# What a child has in common with its parent.
SHARED_TAGS = (
    "mlflow.user",
    "mlflow.source.name",
    "mlflow.source.type",
    "mlflow.source.git.commit",
    "problem",
)


def log_child_runs(client: MlflowClient, run_id: str, children: Sequence[ChildRun], kind: str) -> None:
    """Log runs below a run, each finished; one that is there already, from before the run was cut off, is completed.

    Args:
        client: of the tracking server.
        run_id: the run above them.
        children: what they are.
        kind: of children, by which those of one run are told apart, such as `mlp.cross_validation`.
    """
    parent = client.get_run(run_id)
    experiment, tags = parent.info.experiment_id, parent.data.tags
    known = _known(client, experiment, run_id, kind)
    shared = {name: tags[name] for name in SHARED_TAGS if name in tags}
    end = int(time.time() * 1000)
    for child in children:
        start = end - int(1000 * child.seconds)
        own = known.get(child.name)
        if own is None:
            own = client.create_run(
                experiment,
                start_time=start,
                run_name=child.name,
                tags=shared | {PARENT: run_id, "child_of": kind},
            ).info.run_id
        there = logged_metrics(client, own)
        metrics = [
            {"key": row.name, "value": row.value, "step": row.step or 0, "timestamp": end}
            for row in child.metrics
            if (row.name, row.step or 0) not in there
        ]
        records: list[dict[str, Any]] = [
            {"params": child.parameters},
            *metrics,
            {"status": "FINISHED", "end": end},
        ]
        send_records(client, own, records)


def _known(client: MlflowClient, experiment: str, run_id: str, kind: str) -> Mapping[str, str]:
    """Return the ids of the children that there are, by name."""
    found = client.search_runs(
        [experiment], f"tags.`{PARENT}` = '{run_id}' and tags.child_of = '{kind}'", max_results=1000
    )
    return {str(run.info.run_name): str(run.info.run_id) for run in found}
