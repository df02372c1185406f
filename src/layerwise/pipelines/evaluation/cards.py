"""The model card of a network that learns without a target, such as an RBM."""

import logging
from collections.abc import Mapping
from typing import Any

from kedro.pipeline import Pipeline

from layerwise.data import DataSpec
from layerwise.evaluation.metrics import LoggedMetrics
from layerwise.evaluation.reports import compare_with_components, make_network_card
from layerwise.evaluation.unsupervised import doubt_perplexity
from layerwise.parameters import used_settings
from layerwise.pipelines.stage import Stage, with_first

log = logging.getLogger(__name__)


def write_network_card(what: str, columns: DataSpec, **inputs: Any) -> str:
    """Write the card of `what` from the inputs `metrics_...`, what was measured, and the parameters by their keys."""
    measured: LoggedMetrics = sum(
        (value for value in inputs.values() if isinstance(value, LoggedMetrics)), LoggedMetrics(())
    )
    parameters = {
        name: used_settings(value, columns)
        for name, value in inputs.items()
        if not isinstance(value, LoggedMetrics)
    }
    metrics = {row.name: row.value for row in measured}
    conclusions = _conclusions(metrics)
    for sentence in conclusions:
        log.warning(sentence)
    return make_network_card(
        columns, parameters, metrics, title=f"Model card of {what}", conclusions=conclusions
    )


def _conclusions(metrics: Mapping[str, float]) -> list[str]:
    """Return what the metrics by their names say of the network, a sentence each."""
    doubt = doubt_perplexity({name.removeprefix("test/"): value for name, value in metrics.items()})
    return compare_with_components(metrics) + ([f"{doubt}."] if doubt else [])


def create_network_card(pipeline: str, what: str, read: Pipeline) -> Pipeline:
    """Return the writing of a network's card: what the rest of the pipeline measured, and the parameters that it reads.

    Args:
        pipeline: its name.
        what: the network is, for the card's heading, such as "an autoencoder".
        read: the rest of it.
    """
    start, outputs = f"{pipeline}.", read.all_outputs()
    metrics = sorted(each.removeprefix(start) for each in outputs if each.startswith(f"{start}metrics_"))
    inputs = {"columns": "data_spec"} | {each: each for each in metrics} | parameter_inputs(pipeline, read)
    write = with_first(write_network_card, what)
    return Pipeline([Stage("reporting", pipeline).node(write, inputs, "model_card", "write_model_card")])


def parameter_inputs(pipeline: str, read: Pipeline) -> dict[str, str]:
    """Return the top-level parameters that a pipeline reads, each by its key, filled by the sizes' rules where it is.

    Args:
        pipeline: its name.
        read: its nodes.
    """
    names = (name.removeprefix("params:") for name in read.inputs() if name.startswith("params:"))
    keys = sorted({name.partition(".")[0] for name in names})
    sized = {key for key in keys if f"{pipeline}.{key}_settings" in read.all_outputs()}
    return {key: f"{key}_settings" if key in sized else f"params:{key}" for key in keys}
