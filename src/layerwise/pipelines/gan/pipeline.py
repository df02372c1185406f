"""The `gan` pipeline: preprocessing, a feature classifier, training, evaluation of samples, figures."""

from collections.abc import Callable

from kedro.pipeline import Node, Pipeline

from layerwise.pipelines import preprocessing
from layerwise.pipelines.evaluation.cards import create_network_card
from layerwise.pipelines.facts import ProblemFacts, current_facts
from layerwise.pipelines.gan import evaluation, figure_nodes as plots, nodes, tables
from layerwise.pipelines.stage import Stage
from layerwise.sweeping import Objective

NAME = "gan"
SEED = "params:seed"
SETTINGS = ["gan_settings", SEED]
# Alone, so that trials with other settings of the GAN have one classifier.
CLASSIFIER_EPOCHS = "params:gan.feature_classifier_epochs"
GENERATOR = ["generator", "conditions"]
ENCODED = [*GENERATOR, "encoding"]
TRAINED = ["generator", "discriminator", "gan_history", "animation", "conditions"]
CLASSIFIER = ["feature_classifier", "feature_classifier_history", "metrics_feature_classifier"]

# The features that rows are compared in stay the same: the classifier's, or the encoded columns of a table.
OBJECTIVE = Objective(
    metric="validation/frechet_distance",
    history="gan_history",
    fixed=("preprocessing", "gan.feature_classifier_epochs", "gan.table.components", "gan.table.temperature"),
)


def create_pipeline(facts: ProblemFacts | None = None) -> Pipeline:
    """Return the pipeline of a problem, the present session's by default: of images, or of a table."""
    facts = facts or current_facts()
    is_table = facts.rows == "table"
    own = _both(Stage("reporting", NAME))
    if facts.have_classes or not is_table:
        own.append(_classifier())
    if is_table:
        own += _table_training() + _table_evaluation(facts) + _table_reporting(facts)
    else:
        own += _image_training(facts) + _image_evaluation(facts) + _image_reporting(facts)
    before = preprocessing.create_pipeline(
        NAME, labelled=False, input_example=True, sized=["gan"], generates=is_table, compares=True
    )
    found = before + Pipeline(own)
    return found + create_network_card(NAME, "a generative adversarial network", found)


def _condition(facts: ProblemFacts) -> str:
    """Return what images are conditional on: nothing, their class, or a caption."""
    condition = facts.parameter("gan.condition") or "auto"
    return {"auto": "class" if facts.has_task("multiclass") else "none"}.get(condition, condition)


def _baselines(facts: ProblemFacts) -> list[str]:
    return ["baseline_metrics"] if facts.is_on("gan.baselines") else []


def _classifier() -> Node:
    inputs = ["training", "validation", "data_spec", CLASSIFIER_EPOCHS, SEED]
    return Stage("training", NAME).node(nodes.train_feature_classifier, inputs, CLASSIFIER)


def _both(reporting: Stage) -> list[Node]:
    return [
        reporting.figure(plots.plot_learning_curves, ["gan_history"]),
        reporting.figure(plots.plot_sample_progress, ["animation"]),
    ]


def _image_training(facts: ProblemFacts) -> list[Node]:
    stage = Stage("training", NAME)
    inputs = ["training", "validation", "data_spec", "feature_classifier", *SETTINGS]
    if _condition(facts) == "caption":
        return [stage.node(nodes.train_captioned_gan, inputs, [*TRAINED, "captions"], "train_gan")]
    return [stage.node(nodes.train_image_gan, inputs, TRAINED, "train_gan")]


def _image_evaluation(facts: ProblemFacts) -> list[Node]:
    stage = Stage("evaluation", NAME)
    rows = ["training", "validation", "test", "feature_classifier"]
    synthesis = [*GENERATOR, "preprocessor", "data_spec", "params:synthesize", SEED]
    found = [
        stage.node(evaluation.sample_images, [*GENERATOR, *SETTINGS], "samples"),
        stage.measure(evaluation.evaluate_samples, ["samples", *rows, SEED], "sample_metrics"),
        stage.node(nodes.synthesize_images, synthesis, "synthetic"),
    ]
    if _baselines(facts):
        inputs = ["training", "validation", "data_spec", *SETTINGS]
        found.append(stage.node(evaluation.sample_baseline, inputs, "vae_samples"))
        inputs = ["vae_samples", *rows, *SETTINGS]
        found.append(stage.node(evaluation.evaluate_baselines, inputs, "baseline_metrics"))
    return found


def _image_reporting(facts: ProblemFacts) -> list[Node]:
    stage, condition, baselines = Stage("reporting", NAME), _condition(facts), _baselines(facts)
    report = ["sample_metrics", "gan_history", "feature_classifier_history", *baselines]
    samples: dict[str, tuple[Callable[..., object], list[str]]] = {
        "none": (plots.plot_samples, [*GENERATOR, "data_spec", SEED]),
        "class": (plots.plot_class_samples, ["generator", "data_spec", SEED]),
        "caption": (plots.plot_captioned_samples, [*GENERATOR, "captions", "data_spec", *SETTINGS]),
    }
    function, inputs = samples[condition]
    return [
        stage.node(plots.write_image_report, report, "report", "write_report"),
        stage.figure(function, inputs, "plot_samples"),
        stage.figure(plots.plot_classes, ["sample_metrics", "data_spec", *baselines]),
        stage.figure(plots.plot_memorization, [*GENERATOR, "training", "data_spec", SEED]),
    ]


def _table_training() -> list[Node]:
    stage, encoded = Stage("training", NAME), ["encoded_training", "encoded_validation"]
    settings = ["params:problem", "params:preprocessing", *SETTINGS]
    return [
        stage.node(tables.encode_rows, ["raw", "split", *settings], ["encoding", *encoded]),
        stage.node(
            tables.train_table_gan, [*encoded, "encoding", "data_spec", *SETTINGS], TRAINED, "train_gan"
        ),
    ]


def _table_evaluation(facts: ProblemFacts) -> list[Node]:
    stage = Stage("evaluation", NAME)
    generated = ["generated_rows", "samples"]
    rows = ["training", "test", "data_spec", SEED, *(["feature_classifier"] if facts.have_classes else [])]
    return [
        stage.node(tables.sample_rows, [*ENCODED, "training", "preprocessor", SEED], generated),
        stage.measure(
            tables.evaluate_columns, ["generated_rows", "raw", "split", "params:problem"], "column_fidelity"
        ),
        stage.measure(tables.evaluate_rows, ["samples", *rows], "row_fidelity"),
        stage.node(
            tables.synthesize_rows, [*ENCODED, "preprocessor", "params:synthesize", SEED], "synthetic"
        ),
    ]


def _table_reporting(facts: ProblemFacts) -> list[Node]:
    stage = Stage("reporting", NAME)
    report = ["column_fidelity", "row_fidelity", "gan_history", "data_spec"]
    distances = [*ENCODED, "preprocessor", "training", "test", SEED]
    found = [
        stage.node(plots.write_table_report, report, "report", "write_report"),
        stage.figure(plots.plot_sampled_marginals, [*ENCODED, "raw", "split", SEED], "plot_samples"),
        stage.figure(plots.plot_nearest_distances, distances, "plot_memorization"),
    ]
    if facts.have_classes:
        found.append(stage.figure(plots.plot_target_classes, ["row_fidelity", "data_spec"], "plot_classes"))
    return found
