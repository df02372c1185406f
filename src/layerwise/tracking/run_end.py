"""The end of a run whose nodes have finished: its models, its outputs, its description and its page in MLflow."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerwise.tracking.environment import pipeline_of
from layerwise.tracking.outbox import WAITING_TAG
from layerwise.tracking.run_outputs import write_html_report
from layerwise.tracking.run_summary import TITLES, note_of

if TYPE_CHECKING:
    from kedro.io import CatalogProtocol
    from kedro.pipeline import Pipeline

    from layerwise.evaluation.metrics import NamedMetrics
    from layerwise.tracking.saved_data import SavedData

log = logging.getLogger(__name__)

WHERE = "Figures: data/08_reporting/%s/%s; the run: `mlflow ui`, experiment %s"


def store_results(
    saved_data: SavedData,
    pipelines: Sequence[str],
    pipeline: Pipeline,
    catalog: CatalogProtocol[Any, Any],
    project: Path,
    command: str,
) -> None:
    """Store what a run has made, and register its models; what its store does not take is kept for the next command.

    Args:
        saved_data: of the run.
        pipelines: the names of its pipelines.
        pipeline: what it has computed.
        catalog: holds the outputs.
        project: the project's folder.
        command: that runs the pipelines, as their pages say it.
    """
    run_logger = saved_data.run_logger
    run_logger.flush()
    metrics = saved_data.complete_models(project)
    saved_data.log_outputs(pipeline.all_outputs(), project / "data")
    run_logger.attempt(
        lambda: saved_data.describe(
            note_of(run_logger.client, run_logger.run_id, pipelines, saved_data.problem, metrics)
        )
    )
    for name in pipelines:
        _log_page(saved_data, name, pipeline, catalog, project, command)
        if {f"{name}.network", f"{name}.metrics"} <= pipeline.all_outputs():
            _log_test_metrics(catalog.load(f"{name}.metrics").network, saved_data.problem, name)
        elif any(each.startswith(f"{name}.figure_") for each in pipeline.all_outputs()):
            log.info(WHERE, saved_data.problem, name, saved_data.problem)
    if saved_data.kept:
        what = " and ".join(dict.fromkeys(saved_data.kept))
        log.warning("Kept in %s: %s. The next command of this project stores it", run_logger.hold(), what)
        run_logger.log_tags({WAITING_TAG: f"{what}: kept where the run was, until the next command there"})


def _log_page(
    saved_data: SavedData,
    name: str,
    pipeline: Pipeline,
    catalog: CatalogProtocol[Any, Any],
    project: Path,
    command: str,
) -> None:
    """Write a pipeline's page, and store it with the run."""
    run_logger, problem = saved_data.run_logger, saved_data.problem
    outputs = [each for each in pipeline.all_outputs() if pipeline_of(each) == name]
    facts = {"problem": problem, "run": run_logger.run_id, "command": command}
    folder = project / "data/08_reporting" / problem / name
    page = write_html_report(catalog, outputs, TITLES.get(name, name), facts, folder)
    if page is not None:
        run_logger.log_file(str(page), name if saved_data.several else "")


def _log_test_metrics(metrics: NamedMetrics, problem: str, name: str) -> None:
    shown = [metrics[key] for key in ("error", "roc_auc", "rmse", "r2") if key in metrics]
    log.info(
        f"On the test rows: %s. {WHERE}",
        ", ".join(f"{m.name} {m.value:.4f} (base rate {m.base_rate:.4f})" for m in shown),
        problem,
        name,
        problem,
    )
