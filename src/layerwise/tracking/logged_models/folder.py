"""Writes a trained network with its preprocessor as a folder of data that takes raw rows."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from layerwise.evaluation.likelihood import VariationalLikelihood
from layerwise.inference import ModelManifest, ModelParts, hash_rows, save_trained_model
from layerwise.tracking.environment import is_predictor, pipeline_of
from layerwise.tracking.input_datasets import rows_fingerprint
from layerwise.utils import parameter

if TYPE_CHECKING:
    from kedro.io import CatalogProtocol

# What a pipeline measures of a stack beside its fine-tuned network: the ends of the entries' names.
STACK_METRICS = ("stack", "bound")
# What a pipeline saves for its network's tasks.
PARTS = ("reference", "likelihood", "encoding", "topics", "recommender", "classification_rbm", "bound")


@dataclass(frozen=True)
class SavedModel:
    """A model that a run has written to this machine and logs.

    Args:
        entry: the network's name in the catalog.
        folder: what `save_trained_model` wrote.
        manifest: of the folder.
        sha256: of the manifest.
    """

    entry: str
    folder: Path
    manifest: ModelManifest
    sha256: str

    @property
    def pipeline(self) -> str:
        """The pipeline that trained it."""
        return pipeline_of(self.entry)


def save_model_folder(
    folder: Path,
    run_id: str,
    catalog: CatalogProtocol[Any, Any],
    entry: str,
    problem: str,
    outputs: Collection[str],
) -> SavedModel:
    """Write a network of a pipeline as a model that takes raw rows.

    Args:
        folder: where the model is kept on this machine.
        run_id: the run.
        catalog: holds the pipeline's outputs.
        entry: the network's name in it: `<pipeline>.network` for a supervised one.
        problem: the problem's name.
        outputs: what the run has saved, by the names in the catalog.
    """
    run = _PipelineOutputs(catalog, pipeline_of(entry), outputs)
    network, preprocessor = catalog.load(entry), run.load("preprocessor")
    common: dict[str, Any] = {
        "problem": problem,
        "pipeline": run.pipeline,
        "run_id": run_id,
        "layerwise_version": version("layerwise"),
        "test_rows_sha256": rows_fingerprint(preprocessor.data_spec, run.load("split"), "test"),
    }
    if is_predictor(entry):
        manifest = ModelManifest(**common, **_prediction_facts(run))
        parts = ModelParts(quantiles=run.load("quantiles")) if run.has("quantiles") else None
        if manifest.refit:
            network, preprocessor = run.load("refit_network"), run.load("refit_preprocessor")
        seen = _rows_of_predictor(run, preprocessor, manifest.refit)
    else:
        metrics = _unsupervised_metrics(run, STACK_METRICS if entry.endswith(".stack") else ("",))
        manifest = ModelManifest(**common, name=f"{problem}.{run.pipeline}", metrics=metrics)
        parts, seen = _parts(run), None
        if preprocessor.data_spec.task not in ("ratings", "documents"):
            more = ["unlabelled"] if run.has("unlabelled") else []
            seen = _seen_rows(run, preprocessor, "training", "validation", *more)
    sha256 = save_trained_model(folder, network, preprocessor, manifest, seen, parts)
    return SavedModel(entry, folder, manifest, sha256)


@dataclass(frozen=True)
class _PipelineOutputs:
    """What a pipeline has saved in a run, by the names without the pipeline's."""

    catalog: CatalogProtocol[Any, Any]
    pipeline: str
    saved: Collection[str]

    def has(self, name: str) -> bool:
        return f"{self.pipeline}.{name}" in self.saved

    def load(self, name: str) -> Any:
        return self.catalog.load(f"{self.pipeline}.{name}")


def _prediction_facts(run: _PipelineOutputs) -> dict[str, Any]:
    """Return what the manifest of a supervised network says beside what each manifest says."""
    metrics = run.load("metrics")
    intervals = metrics.intervals
    facts = {
        "threshold": metrics.threshold,
        "smearing": metrics.smearing,
        "interval_coverage": intervals.coverage if intervals else 0.0,
        "interval_half_widths": intervals.half_widths if intervals else (),
        "metrics": metrics.network.model_dump(mode="json"),
        "refit": parameter("refit") and run.catalog.exists(f"{run.pipeline}.refit_network"),
    }
    if run.has("initial_model"):
        facts["initial_model"] = run.load("finetuning_source").manifest.registered_name
    return facts


def _rows_of_predictor(run: _PipelineOutputs, preprocessor: Any, refit: bool) -> np.ndarray | None:
    """Return the hashes of the rows that a supervised network has seen, with those of the one that it began as."""
    if refit:
        return _seen_rows(run, preprocessor, "refit_rows")
    seen = _seen_rows(run, preprocessor, "training", "validation")
    if not run.has("initial_model"):
        return seen
    before = run.load("finetuning_source").seen_rows
    return None if before is None or seen is None else np.concatenate([before, seen])


def _parts(run: _PipelineOutputs) -> ModelParts:
    """Return what the network's tasks need, as far as the run has saved it."""
    found = {name: run.load(name) for name in PARTS if run.has(name)}
    # An autoencoder's likelihood is a bound of its own, with no log Z.
    parts = ModelParts(
        **{name: value for name, value in found.items() if not isinstance(value, VariationalLikelihood)}
    )
    if run.has("conditions"):
        conditions = run.load("conditions").inputs
        return parts.with_conditions(conditions) if conditions.shape[1] else parts
    return parts


def _unsupervised_metrics(run: _PipelineOutputs, kinds: Collection[str]) -> dict[str, Any]:
    """Return what was measured on the test rows, by the names that the run logs without their beginning."""
    beginnings = tuple(f"{run.pipeline}.metrics_{kind}" for kind in kinds)
    names = sorted(name for name in run.saved if name.startswith(beginnings))
    rows = [row for name in names for row in run.catalog.load(name) if row.name.startswith("test/")]
    metrics = {row.name.removeprefix("test/"): {"value": row.value} for row in rows}
    for name, (low, high) in _encoder_intervals(run).items():
        if name in metrics:
            metrics[name] |= {"low": low, "high": high}
    return metrics


def _encoder_intervals(run: _PipelineOutputs) -> dict[str, tuple[float, float]]:
    """Return the 95 % intervals of what encoders of different sizes are compared by, by the metrics' names."""
    found = {}
    if run.has("anomalies"):
        report = run.load("anomalies")
        main = report.methods[report.score]
        found["anomaly_auc"] = (main.auc_low, main.auc_high)
    if run.has("probe"):
        latent = run.load("probe").root.get("latent")
        for name, metric in latent.root.items() if latent else ():
            if metric.low is not None:
                found[f"probe/latent/{name}"] = (metric.low, metric.high)
    return found


def _seen_rows(run: _PipelineOutputs, preprocessor: Any, *entries: str) -> np.ndarray | None:
    """Return the hashes of the rows of a pipeline's entries.

    None where a row's inputs are sampled, or the rows stay in files: hashes of all of them are too many for a model.
    """
    if run.has("row_parts"):
        return None
    if preprocessor.settings.binarize == "static":
        return None
    return np.concatenate([hash_rows(run.load(entry).inputs.cpu().numpy()) for entry in entries])
