"""The end of a run whose nodes have finished: its models, its outputs, its description and its page in MLflow."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerwise.tracking.environment import pipeline_of, whole_pipeline
from layerwise.tracking.outbox import WAITING_TAG
from layerwise.tracking.run_outputs import remove_earlier_reports, write_html_report
from layerwise.tracking.run_summary import TITLES, note_of

if TYPE_CHECKING:
    from kedro.io import CatalogProtocol
    from kedro.pipeline import Pipeline

    from layerwise.evaluation.metrics import NamedMetrics
    from layerwise.tracking.saved_data import SavedData

log = logging.getLogger(__name__)

# What the terminal shows of the metrics, in this order, where a network has them.
SHOWN = ("error", "roc_auc", "rmse", "r2", "raw_rmse")


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
    computed = {node.name for node in pipeline.nodes}
    whole = computed >= {node.name for node in whole_pipeline(pipelines).nodes}
    for name in pipelines:
        page = _log_page(saved_data, name, pipeline, catalog, project, command, whole)
        _log_metrics(name, pipeline.all_outputs(), catalog, saved_data.problem, page)
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
    whole: bool,
) -> Path | None:
    """Write a pipeline's page, store it with the run, and return it; None where there is nothing to write.

    What earlier runs reported and this one, if it is whole, does not, is removed.
    """
    run_logger, problem = saved_data.run_logger, saved_data.problem
    outputs = [each for each in pipeline.all_outputs() if pipeline_of(each) == name]
    facts = {"problem": problem, "run": run_logger.run_id, "command": command}
    folder = project / "data/08_reporting" / problem / name
    page = write_html_report(catalog, outputs, TITLES.get(name, name), facts, folder)
    if page is not None:
        run_logger.log_file(str(page), name if saved_data.several else "")
    remove_earlier_reports(catalog, outputs, page, folder, whole)
    return page


def _log_metrics(
    name: str, outputs: set[str], catalog: CatalogProtocol[Any, Any], problem: str, page: Path | None
) -> None:
    """Say how good a network is on the test rows or on the rows that it was evaluated on, and where more of it lies."""
    folder, said = f"data/08_reporting/{problem}/{name}", []
    if {f"{name}.network", f"{name}.metrics"} <= outputs:
        said = [f"On the test rows: {_shown(catalog.load(f'{name}.metrics').network)}", f"Figures: {folder}"]
    elif name == "evaluate" and page is not None:
        if "evaluate.metrics" in outputs:
            said.append(f"On the new rows: {_shown(catalog.load('evaluate.metrics'))}")
        said.append(f"The report: {folder}/{page.name}")
    elif any(each.startswith(f"{name}.figure_") for each in outputs):
        said = [f"Figures: {folder}"]
    if said:
        log.info("%s; the run: `mlflow ui`, experiment %s", ". ".join(said), problem)


def _shown(metrics: NamedMetrics) -> str:
    """Return the metrics that matter most, each with its interval and what the best constant prediction gets."""
    found = [metrics[key] for key in SHOWN if key in metrics]
    rates = ("" if m.base_rate is None else f" (base rate {m.base_rate:.4f})" for m in found)
    return ", ".join(f"{m.name} {m}{rate}" for m, rate in zip(found, rates, strict=True))
