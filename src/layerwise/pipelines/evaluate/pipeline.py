"""Evaluation of a trained model on new labelled rows, and their drift from its training rows."""

from kedro.pipeline import Pipeline

from layerwise.pipelines.evaluate import nodes
from layerwise.pipelines.evaluation.pipeline import has_segments
from layerwise.pipelines.evaluation.segment_nodes import plot_segments
from layerwise.pipelines.facts import ProblemFacts, current_facts
from layerwise.pipelines.stage import Stage


def create_pipeline() -> Pipeline:
    """Return the steps from a model and labelled rows to metrics, drift, figures and a report."""
    evaluation, reporting = Stage("evaluation", "evaluate"), Stage("reporting", "evaluate")
    facts, scored = current_facts(), ["model", "scored_rows"]
    if facts.parameter("evaluate.labelled") is False:
        return _of_drift(facts)
    by_segment = has_segments(facts)
    scoring = ["model", "rows", "params:evaluate", *(["params:evaluation"] if by_segment else [])]
    segments = ["segment_metrics"] if by_segment else []
    found = Pipeline(
        [
            evaluation.node(nodes.score_rows, scoring, "scored_rows"),
            evaluation.node(
                nodes.measure_rows,
                [*scored, "params:evaluate", "params:seed"],
                ["metrics", "metrics_new_rows"],
            ),
            evaluation.node(nodes.measure_drift, scored, ["drift", "metrics_drift"]),
            reporting.figure(nodes.plot_drift, ["drift", "scored_rows"]),
            reporting.figure(nodes.plot_predictions, scored),
            reporting.figure(nodes.plot_calibration, scored),
            reporting.node(nodes.write_report, [*scored, "metrics", "drift", *segments], "report"),
        ]
    )
    found += _limits(facts, ["metrics"])
    if not by_segment:
        return found
    inputs = [*scored, "params:evaluate", "params:seed"]
    return found + Pipeline(
        [
            evaluation.node(nodes.measure_new_segments, inputs, "segment_metrics"),
            reporting.figure(plot_segments, segments),
        ]
    )


def _of_drift(facts: ProblemFacts) -> Pipeline:
    """Return the steps for rows whose targets are not known."""
    evaluation, reporting = Stage("evaluation", "evaluate"), Stage("reporting", "evaluate")
    scored = ["model", "scored_rows"]
    return Pipeline(
        [
            evaluation.node(nodes.score_rows, ["model", "rows", "params:evaluate"], "scored_rows"),
            evaluation.node(nodes.measure_drift, scored, ["drift", "metrics_drift"]),
            reporting.figure(nodes.plot_drift, ["drift", "scored_rows"]),
            reporting.node(nodes.write_drift_report, [*scored, "drift"], "report"),
        ]
    ) + _limits(facts, [])


def _limits(facts: ProblemFacts, metrics: list[str]) -> Pipeline:
    """Return the last step, which fails where something is worse than its limit; none without limits."""
    if not facts.parameter("evaluate.limits"):
        return Pipeline([])
    inputs = ["drift", "params:evaluate", "report", *metrics]
    return Pipeline([Stage("reporting", "evaluate").node(nodes.check_limits, inputs, "metrics_limits")])
