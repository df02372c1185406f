"""The restricted Boltzmann machine: preprocessing, training, likelihood, probe, label units, figures."""

from kedro.pipeline import Node, Pipeline

from layerwise.models.rbm.units import HIDDEN
from layerwise.pipelines import preprocessing, views
from layerwise.pipelines.anomalies import create_reference, detect_each_class, plot_class_anomalies
from layerwise.pipelines.evaluation.cards import create_network_card
from layerwise.pipelines.facts import ProblemFacts, current_facts
from layerwise.pipelines.previews import RBMPreview
from layerwise.pipelines.privacy import create_privacy
from layerwise.pipelines.rbm import collections, figure_nodes as plots, nodes
from layerwise.pipelines.recommendation import create_recommendation
from layerwise.pipelines.stage import Stage
from layerwise.sweeping import Objective

NAME = "rbm"
SETTINGS = ["rbm_settings", "params:seed"]
# Exact, where the likelihood itself is an estimate that chains which mix badly inflate.
OBJECTIVE = Objective(
    metric="validation/pseudo_likelihood",
    history="rbm_history",
    maximize=True,
    fixed=("preprocessing", "rbm.visible", "rbm.monitor", "rbm.pseudo_likelihood_rows"),
)


def create_pipeline(facts: ProblemFacts | None = None) -> Pipeline:
    """Return the pipeline of a problem, the present session's by default."""
    facts = facts or current_facts()
    reads_labels = facts.is_on("rbm.probe") or _has_label_units(facts)
    before = preprocessing.create_pipeline(
        NAME,
        supervised=False,
        input_example=True,
        labelled=reads_labels,
        sized=["rbm"],
        pretrains=True,
        compares=True,
        facts=facts,
    )
    found = before + Pipeline(_training(facts) + _evaluation(facts) + _reporting(facts))
    return found + create_network_card(NAME, "a restricted Boltzmann machine", found)


def _has_label_units(facts: ProblemFacts) -> bool:
    return facts.have_classes and facts.is_on("rbm.classification_rbm")


def _has_likelihood(facts: ProblemFacts) -> bool:
    units = HIDDEN.all().get(str(facts.parameter("rbm.hidden")))
    has_sampler = units is None or units.samples_exactly
    return facts.are_dense and has_sampler and facts.parameter("rbm.likelihood.method") != "none"


def _has_demo(facts: ProblemFacts) -> bool:
    """Say whether the page to try an RBM on has its units."""
    units = facts.parameter("rbm.visible"), facts.parameter("rbm.hidden")
    return units[0] in (None, "auto", "bernoulli") and units[1] in (None, "bernoulli")


def _training(facts: ProblemFacts) -> list[Node]:
    stage = Stage("training", NAME)
    train = nodes.train_rbm if facts.has_rows("table", "images", "documents") else nodes.train_rating_rbm
    more = ["unlabelled"] if facts.are_partly_labelled else []
    found = [
        stage.node(
            train,
            ["training", "validation", "data_spec", *SETTINGS, *more],
            ["rbm", "rbm_history"],
            "train_rbm",
            RBMPreview(NAME),
        )
    ]
    if _has_label_units(facts):
        found.append(
            stage.node(
                nodes.train_classification_rbm,
                ["labelled", "validation", "data_spec", *SETTINGS],
                ["classification_rbm", "classification_rbm_history"],
            )
        )
    return found


def _evaluation(facts: ProblemFacts) -> list[Node]:
    stage = Stage("evaluation", NAME)
    learnt, test = ["rbm", "training", "test", "data_spec"], ["test", "data_spec"]
    found = []
    if facts.are_dense:
        found += create_reference(NAME, "rbm", facts)
    if facts.has_rows("table"):
        found.append(create_privacy(NAME, "rbm"))
    if _has_likelihood(facts):
        found.append(stage.measure(nodes.measure_likelihood, [*learnt, *SETTINGS], "likelihood"))
    if facts.are_labelled and facts.is_on("rbm.probe"):
        rows = ["labelled", "validation", *test]
        found.append(stage.measure(nodes.probe_features, ["rbm", *rows, *SETTINGS], "probe"))
    if _has_label_units(facts):
        found.append(
            stage.measure(
                nodes.evaluate_classification_rbm,
                ["classification_rbm", *test, *SETTINGS],
                "classification_metrics",
            )
        )
    if facts.has_rows("images"):
        sampling = ["rbm", "training", "data_spec", *SETTINGS]
        found.append(stage.node(nodes.sample_images, sampling, "image_samples"))
        if _has_label_units(facts):
            shown = ["classification_rbm", "image_samples", "data_spec"]
            found.append(stage.node(nodes.measure_image_samples, shown, "metrics_image_samples"))
    if facts.have_classes and facts.is_on("rbm.probe"):
        rows = ["rbm", "training", "validation", *test, "params:seed"]
        found.append(stage.measure(detect_each_class, rows, "class_anomalies"))
    if facts.has_rows("ratings"):
        found.append(stage.measure(collections.recommend, [*learnt, "preprocessor"], "recommendation"))
        found.append(create_recommendation(NAME, "rbm"))
    if facts.has_rows("documents"):
        found.append(stage.measure(collections.find_topics, [*learnt, *SETTINGS], "topics"))
    return found


def _reporting(facts: ProblemFacts) -> list[Node]:
    stage, is_image = Stage("reporting", NAME), facts.has_rows("images")
    histories = ["rbm_history", *(["classification_rbm_history"] if _has_label_units(facts) else [])]
    found = [
        stage.figure(plots.plot_learning_curves, histories),
        stage.figure(
            plots.plot_filters if facts.are_dense else plots.plot_strongest_columns,
            ["rbm", "data_spec"],
            "plot_filters",
        ),
        stage.figure(plots.plot_hidden_activations, ["rbm", "test"]),
        stage.figure(plots.plot_latent_map, ["rbm", "test", "data_spec"]),
    ]
    if facts.have_classes and facts.is_on("rbm.probe"):
        found.append(stage.figure(plot_class_anomalies, ["class_anomalies", "data_spec"]))
    if facts.are_dense:
        found.append(stage.figure(views.plot_reconstructions, ["rbm_history", "data_spec", "preprocessor"]))
    if is_image:
        shown = ["image_samples", "data_spec", "rbm_settings"]
        found.append(stage.figure(plots.plot_image_samples, shown, "plot_samples"))
        found.append(stage.figure(plots.plot_inpainting, ["rbm", "test", "data_spec", *SETTINGS]))
        if _has_demo(facts):
            found.append(stage.node(plots.write_demo, ["rbm", "test", "data_spec"], "demo"))
    elif facts.has_rows("table"):
        sampling = ["rbm", "training", "preprocessor", *SETTINGS]
        found.append(stage.figure(plots.plot_sampled_marginals, sampling, "plot_samples"))
        found.append(stage.figure(plots.plot_imputation, ["rbm", "test", "data_spec", "params:seed"]))
    return found
