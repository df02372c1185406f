"""The stages after training: metrics and baselines on the test rows; the model card and the figures."""

from collections.abc import Callable

from kedro.pipeline import Node, Pipeline

from layerwise.data.transforms import AugmentationSettings
from layerwise.pipelines import views
from layerwise.pipelines.anomalies import create_reference
from layerwise.pipelines.class_samples import has_class_samples
from layerwise.pipelines.evaluation import figure_nodes as plots, nodes
from layerwise.pipelines.evaluation.baseline_nodes import train_baselines
from layerwise.pipelines.evaluation.cards import parameter_inputs
from layerwise.pipelines.evaluation.interval_nodes import find_intervals, fit_quantiles, measure_intervals
from layerwise.pipelines.evaluation.likelihood_nodes import bound_log_prob, bound_log_prob_of_dbm
from layerwise.pipelines.evaluation.scores import score_rows
from layerwise.pipelines.evaluation.segment_nodes import (
    choose_segments,
    measure_test_segments,
    plot_segments,
)
from layerwise.pipelines.facts import ProblemFacts, calibrates, current_facts, trained_network
from layerwise.pipelines.privacy import create_privacy
from layerwise.pipelines.stage import ALL_TEST_ROWS, LEADERBOARD, Stage, with_first

SETTINGS = ["params:evaluation", "params:seed"]
TEST = ["network", "test", "data_spec"]
SCORES = ["test_scores", "data_spec"]
UNCALIBRATED = "uncalibrated_scores"


def create_pipeline(
    pipeline: str = "evaluation",
    stack: str | None = None,
    several: bool = False,
    grid: bool = False,
    is_network: bool = True,
    facts: ProblemFacts | None = None,
) -> Pipeline:
    """Return evaluation and reporting of a trained network.

    Args:
        pipeline: the name of the pipeline that they belong to.
        stack: what the network was pretrained as, `dbn`, `dbm` or `sae`; None: it started at random.
        several: whether several networks were trained at once.
        grid: whether they were chosen from a grid.
        is_network: whether it has layers to look into and baselines to be compared with; a model of scikit-learn has
            neither.
        facts: of the problem; the present session's by default.
    """
    facts = facts or current_facts()
    evaluation, reporting = Stage("evaluation", pipeline), Stage("reporting", pipeline)
    baselines = is_network and _has_baselines(facts)
    found = [
        *_measurements(evaluation, facts, several, baselines),
        *_figures(reporting, facts, grid, baselines),
    ]
    if not is_network:
        return Pipeline(found)
    found.append(reporting.figure(plots.plot_latent_map, [trained_network(facts), *TEST[1:]]))
    if stack is None:
        found += _figures_of_a_random_start(reporting, facts)
    else:
        found += [
            evaluation.node(nodes.measure_stack, ["stack", "test"], "metrics_stack"),
            *create_reference(pipeline, "stack", facts),
            *_figures_of_a_stack(reporting, facts, stack),
        ]
    if stack in ("dbn", "dbm") and facts.has_rows("table"):
        found.append(create_privacy(pipeline, "stack", "stack_privacy"))
    if stack in ("dbn", "dbm") and _has_bound(facts, stack):
        inputs = ["stack", "training", "test", f"params:{stack}", "params:seed"]
        bound = bound_log_prob if stack == "dbn" else bound_log_prob_of_dbm
        found.append(evaluation.node(bound, inputs, ["bound", "metrics_bound"], "bound_log_prob"))
    return Pipeline(found)


def create_card(pipeline: str, read: Pipeline) -> Pipeline:
    """Return the writing of the model card, which shows the parameters that the rest of the pipeline reads.

    Args:
        pipeline: its name.
        read: the rest of it.
    """
    inputs = {"report": "metrics", "columns": "data_spec"} | parameter_inputs(pipeline, read)
    write: Callable[..., object] = nodes.write_model_card
    if f"{pipeline}.cross_validation" in read.all_outputs():
        write, inputs["folds"] = nodes.write_model_card_with_folds, "cross_validation"
    elif current_facts().parameter("compare.on_card"):
        write = with_first(nodes.write_model_card_with_standing, pipeline)
        inputs["leaderboard"] = LEADERBOARD
    return Pipeline([Stage("reporting", pipeline).node(write, inputs, "model_card", "write_model_card")])


def _has_bound(facts: ProblemFacts, stack: str) -> bool:
    # A stack that was trained with dropout has no likelihood of its own.
    return facts.parameter(f"{stack}.likelihood.method") != "none" and not facts.parameter(
        "pretraining.dropout"
    )


def _has_baselines(facts: ProblemFacts) -> bool:
    given = facts.parameter("evaluation.baselines")
    return facts.are_labelled if given in (None, "auto") else bool(given)


def has_segments(facts: ProblemFacts) -> bool:
    """Say whether the problem's rows are measured by segment."""
    return facts.has_rows("table") and bool(facts.parameter("evaluation.segments"))


def _is_augmented(facts: ProblemFacts) -> bool:
    given = facts.parameter("finetuning.augmentation")
    return facts.has_rows("images") and bool(AugmentationSettings.model_validate(given).chosen)


def _measurements(stage: Stage, facts: ProblemFacts, several: bool, baselines: bool) -> list[Node]:
    threshold = ["threshold"] if facts.has_task("binary") else []
    parts = {"network": "network_metrics"} | dict.fromkeys(threshold, "threshold")
    transform = facts.parameter("problem.target_transform")
    found = [stage.node(score_rows, TEST, "test_scores", "score_test_rows")]
    measured = "test_scores"
    if stage.streams_rows:  # the metrics are of all test rows, what is beside them of a sample
        measured, inputs = "all_test_scores", ["network", ALL_TEST_ROWS, "data_spec"]
        found.append(stage.node(score_rows, inputs, measured, "score_all_test_rows"))
    if calibrates(facts):
        inputs = [trained_network(facts), ALL_TEST_ROWS, "data_spec"]
        found.append(stage.node(score_rows, inputs, UNCALIBRATED, "score_uncalibrated"))
        inputs = [measured, UNCALIBRATED, "data_spec", *SETTINGS, *threshold]
        measure = stage.node(nodes.measure_calibrated_network, inputs, "network_metrics", "measure_network")
    elif transform in (None, "none"):
        inputs = [measured, "data_spec", *SETTINGS, *threshold]
        measure = stage.node(nodes.measure_network, inputs, "network_metrics")
    else:
        measure = stage.node(
            nodes.measure_transformed_regression,
            [measured, "data_spec", *SETTINGS, "smearing"],
            "network_metrics",
            "measure_network",
        )
    found += [measure, stage.node(nodes.predict_test_rows, [*SCORES, *threshold], "predictions")]
    if threshold:
        inputs = ["network", "validation", "data_spec", "params:evaluation"]
        found.append(stage.node(nodes.choose_decision_threshold, inputs, "threshold"))
    if transform not in (None, "none"):
        found.append(stage.node(nodes.estimate_smearing, ["network", "validation", "data_spec"], "smearing"))
        parts["smearing"] = "smearing"
    if baselines:
        inputs = ["test_scores", "labelled", "test", "data_spec", *SETTINGS, *threshold]
        found.append(stage.node(train_baselines, inputs, "baselines"))
        parts["baselines"] = "baselines"
    if several:
        inputs = ["members", "validation", "test", "data_spec", "params:evaluation"]
        found.append(stage.node(nodes.measure_members, inputs, "member_statistics"))
        parts["members"] = "member_statistics"
    if facts.has_rows("table"):
        inputs = [*TEST, *SETTINGS, *(["smearing"] if "smearing" in parts else [])]
        found.append(stage.node(nodes.measure_importance, inputs, "importance"))
        parts["importance"] = "importance"
    if facts.parameter("evaluation.interval_coverage"):
        found += _intervals(stage, facts)
        parts |= {"network": "metrics_with_intervals", "intervals": "intervals"}
    if has_segments(facts):
        found += _measurements_by_segment(
            stage, [each for each in ("threshold", "smearing") if each in parts]
        )
        parts["segments"] = "segment_metrics"
    return [*found, stage.node(nodes.summarize_evaluation, parts, ["metrics", "metrics_test"])]


def _intervals(stage: Stage, facts: ProblemFacts) -> list[Node]:
    quantiles = ["quantiles"] if facts.parameter("evaluation.interval_method") == "quantiles" else []
    inputs = ["network", "validation", "data_spec", "params:evaluation", *quantiles]
    measured = ["test_scores", *TEST[1:], "intervals", "network_metrics", *quantiles]
    found = [
        stage.node(find_intervals, inputs, "intervals"),
        stage.node(measure_intervals, measured, "metrics_with_intervals"),
    ]
    if quantiles:
        found.append(stage.node(fit_quantiles, ["labelled", "data_spec", *SETTINGS], "quantiles"))
    return found


def _measurements_by_segment(stage: Stage, also: list[str]) -> list[Node]:
    # The columns are looked for as soon as the rows are split, so that a wrong name costs no training.
    rows = ["raw", "split", "params:problem", "params:evaluation"]
    names = ("scored", "columns", "settings", "seed", "segments")
    inputs = dict(zip(names, [*SCORES, *SETTINGS, "segments"], strict=True))
    return [
        stage.node(choose_segments, rows, "segments"),
        stage.node(measure_test_segments, inputs | {each: each for each in also}, "segment_metrics"),
    ]


def _figures(stage: Stage, facts: ProblemFacts, grid: bool, baselines: bool) -> list[Node]:
    found = [
        stage.figure(plots.plot_predictions, [*SCORES, "metrics"]),
        stage.figure(plots.plot_calibration, SCORES),
    ]
    if calibrates(facts):
        uncalibrated = [UNCALIBRATED, "data_spec"]
        found.append(stage.figure(plots.plot_calibration, uncalibrated, "plot_calibration_before"))
    if facts.has_task("multiclass", "binary", "multilabel"):
        found.append(stage.figure(plots.plot_ranking_curves, SCORES))
    if baselines:
        found.append(stage.figure(plots.plot_comparison, ["metrics"]))
    if facts.has_rows("table"):
        found.append(stage.figure(plots.plot_importance, ["importance"]))
    if has_segments(facts):
        found.append(stage.figure(plot_segments, ["segment_metrics"]))
    if _is_augmented(facts):
        inputs = ["labelled", "data_spec", "params:finetuning", "params:seed"]
        found.append(stage.figure(plots.plot_augmentation, inputs))
    if grid:
        found.append(stage.figure(plots.plot_grid, ["finetuning_history"]))
    return found


def _figures_of_a_random_start(stage: Stage, facts: ProblemFacts) -> list[Node]:
    return [
        stage.figure(plots.plot_learning_curves, ["finetuning_history"]),
        stage.figure(
            plots.plot_network_features, [trained_network(facts), "test", "data_spec"], "plot_features"
        ),
    ]


def _figures_of_a_stack(stage: Stage, facts: ProblemFacts, stack: str) -> list[Node]:
    if stack == "sae":
        features = stage.figure(
            plots.plot_autoencoder_features, ["stack", "test", "data_spec"], "plot_features"
        )
    else:
        features = stage.figure(plots.plot_features, ["stack", "data_spec"])
    found = [
        stage.figure(plots.plot_learning_curves, ["finetuning_history", "pretraining_history"]),
        features,
        stage.figure(views.plot_reconstructions, ["pretraining_history", "data_spec", "preprocessor"]),
    ]
    if stack == "sae":  # which states no distribution to sample from
        return found
    if stack == "dbn" and has_class_samples(facts):  # whose figure is the samples'
        return found
    if facts.has_rows("images"):
        inputs = ["stack", "training", "data_spec", *SETTINGS]
        return [*found, stage.figure(plots.plot_samples, inputs)]
    inputs = ["stack", "training", "preprocessor", *SETTINGS]
    return [*found, stage.figure(plots.plot_sampled_rows, inputs, "plot_samples")]
