"""Evaluation of a trained model on new labelled rows, and their drift from its training rows."""

from kedro.pipeline import Pipeline

from layerwise.pipelines.evaluate import nodes
from layerwise.pipelines.evaluation.segment_nodes import plot_segments
from layerwise.pipelines.facts import ProblemFacts, current_facts
from layerwise.pipelines.stage import Stage


def create_pipeline() -> Pipeline:
    """Return the steps from a model and rows to drift and a report, with labels to metrics and their figures too."""
    evaluation, reporting = Stage("evaluation", "evaluate"), Stage("reporting", "evaluate")
    facts, scored = current_facts(), ["model", "scored_rows"]
    is_labelled = facts.parameter("evaluate.labelled") is not False
    by_segment = is_labelled and bool(facts.parameter("evaluation.segments"))
    scoring = ["model", "rows", "params:evaluate", *(["params:evaluation"] if by_segment else [])]
    found = Pipeline(
        [
            evaluation.node(nodes.score_rows, scoring, "scored_rows"),
            evaluation.node(nodes.measure_drift, scored, ["drift", "metrics_drift"]),
            reporting.figure(nodes.plot_drift, ["drift", "scored_rows"]),
        ]
    )
    if is_labelled:
        return found + _measurements(evaluation, reporting, by_segment) + _limits(facts, ["metrics"])
    report = reporting.node(nodes.write_drift_report, [*scored, "drift"], "report")
    return found + Pipeline([report]) + _limits(facts, [])


def _measurements(evaluation: Stage, reporting: Stage, by_segment: bool) -> Pipeline:
    """Return the steps that read the rows' targets, and the report."""
    scored, segments = ["model", "scored_rows"], ["segment_metrics"] if by_segment else []
    measured = [*scored, "params:evaluate", "params:seed"]
    found = [
        evaluation.node(nodes.measure_rows, measured, ["metrics", "metrics_new_rows"]),
        reporting.figure(nodes.plot_predictions, scored),
        reporting.figure(nodes.plot_calibration, scored),
        reporting.node(nodes.write_report, [*scored, "metrics", "drift", *segments], "report"),
    ]
    if by_segment:
        found.append(evaluation.node(nodes.measure_new_segments, measured, "segment_metrics"))
        found.append(reporting.figure(plot_segments, segments))
    return Pipeline(found)


def _limits(facts: ProblemFacts, metrics: list[str]) -> Pipeline:
    """Return the last step, which fails where something is worse than its limit; none without limits."""
    if not facts.parameter("evaluate.limits"):
        return Pipeline([])
    inputs = ["drift", "params:evaluate", "report", *metrics]
    return Pipeline([Stage("reporting", "evaluate").node(nodes.check_limits, inputs, "metrics_limits")])
