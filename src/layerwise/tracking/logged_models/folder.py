"""Writes a trained network with its preprocessor as a folder of data that takes raw rows."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from layerwise.data import DataSpec
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
    pipeline = pipeline_of(entry)
    network, preprocessor = catalog.load(entry), catalog.load(f"{pipeline}.preprocessor")
    data_spec: DataSpec = preprocessor.data_spec
    common: dict[str, Any] = {
        "problem": problem,
        "pipeline": pipeline,
        "run_id": run_id,
        "layerwise_version": version("layerwise"),
        "test_rows_sha256": rows_fingerprint(data_spec, catalog.load(f"{pipeline}.split"), "test"),
    }
    seen, parts = None, None
    if is_predictor(entry):
        metrics = catalog.load(f"{pipeline}.metrics")
        manifest = ModelManifest(
            **common,
            threshold=metrics.threshold,
            smearing=metrics.smearing,
            interval_coverage=metrics.intervals.coverage if metrics.intervals else 0.0,
            interval_half_widths=metrics.intervals.half_widths if metrics.intervals else (),
            metrics=metrics.network.model_dump(mode="json"),
        )
        seen = seen_rows(catalog, pipeline, preprocessor)
        if f"{pipeline}.quantiles" in outputs:
            parts = ModelParts(quantiles=catalog.load(f"{pipeline}.quantiles"))
        if f"{pipeline}.initial_model" in outputs:
            source = catalog.load(f"{pipeline}.finetuning_source")
            before = source.seen_rows
            manifest = manifest.model_copy(update={"initial_model": source.manifest.registered_name})
            seen = None if before is None or seen is None else np.concatenate([before, seen])
        if parameter("refit") and catalog.exists(f"{pipeline}.refit_network"):
            network, preprocessor = (
                catalog.load(f"{pipeline}.refit_{each}") for each in ("network", "preprocessor")
            )
            seen = seen_rows(catalog, pipeline, preprocessor, ("refit_rows",))
            manifest = manifest.model_copy(update={"refit": True})
    else:
        own = STACK_METRICS if entry.endswith(".stack") else ("",)
        measured = [f"{pipeline}.metrics_{part}" for part in own]
        names = [name for name in outputs if name.startswith(tuple(measured))]
        metrics = _unsupervised_metrics(catalog, names)
        for name, (low, high) in _encoder_intervals(catalog, pipeline, outputs).items():
            if name in metrics:
                metrics[name] |= {"low": low, "high": high}
        manifest = ModelManifest(**common, name=f"{problem}.{pipeline}", metrics=metrics)
        parts = _parts(catalog, pipeline, outputs)
        if data_spec.task not in ("ratings", "documents"):
            more = ["unlabelled"] if f"{pipeline}.unlabelled" in outputs else []
            seen = seen_rows(catalog, pipeline, preprocessor, ("training", "validation", *more))
    sha256 = save_trained_model(folder, network, preprocessor, manifest, seen, parts)
    return SavedModel(entry, folder, manifest, sha256)


def _parts(catalog: CatalogProtocol[Any, Any], pipeline: str, outputs: Collection[str]) -> ModelParts:
    """Return what the network's tasks need, as far as the run has saved it."""
    names = [name for name in PARTS if f"{pipeline}.{name}" in outputs]
    found = {name: catalog.load(f"{pipeline}.{name}") for name in names}
    # An autoencoder's likelihood is a bound of its own, with no log Z.
    parts = ModelParts(
        **{name: value for name, value in found.items() if not isinstance(value, VariationalLikelihood)}
    )
    if f"{pipeline}.conditions" in outputs:
        conditions = catalog.load(f"{pipeline}.conditions").inputs
        return parts.with_conditions(conditions) if conditions.shape[1] else parts
    return parts


def _unsupervised_metrics(catalog: CatalogProtocol[Any, Any], names: Iterable[str]) -> dict[str, Any]:
    """Return what was measured on the test rows, by the names that the run logs without their beginning."""
    rows = [row for name in sorted(names) for row in catalog.load(name) if row.name.startswith("test/")]
    return {row.name.removeprefix("test/"): {"value": row.value} for row in rows}


def _encoder_intervals(
    catalog: CatalogProtocol[Any, Any], pipeline: str, outputs: Collection[str]
) -> dict[str, tuple[float, float]]:
    """Return the 95 % intervals of what encoders of different sizes are compared by, by the metrics' names."""
    found = {}
    if f"{pipeline}.anomalies" in outputs:
        report = catalog.load(f"{pipeline}.anomalies")
        main = report.methods[report.score]
        found["anomaly_auc"] = (main.auc_low, main.auc_high)
    if f"{pipeline}.probe" in outputs:
        latent = catalog.load(f"{pipeline}.probe").root.get("latent")
        for name, metric in latent.root.items() if latent else ():
            if metric.low is not None:
                found[f"probe/latent/{name}"] = (metric.low, metric.high)
    return found


def seen_rows(
    catalog: CatalogProtocol[Any, Any],
    name: str,
    preprocessor: Any,
    entries: tuple[str, ...] = ("training", "validation"),
) -> np.ndarray | None:
    """Return the hashes of a pipeline's training and validation rows; None where a row's inputs are sampled."""
    if preprocessor.settings.binarize == "static":
        return None
    parts = [catalog.load(f"{name}.{part}").inputs for part in entries]
    return np.concatenate([hash_rows(part.cpu().numpy()) for part in parts])
