"""The autoencoder: preprocessing, training, evaluation, downstream tasks, figures."""

from kedro.pipeline import Node, Pipeline

from layerwise.evaluation.demos import DEMO_ACTIVATIONS
from layerwise.parameters.sizing import corruption_by_rule
from layerwise.pipelines import preprocessing, views
from layerwise.pipelines.anomalies import create_reference, detect_each_class, plot_class_anomalies
from layerwise.pipelines.autoencoder import downstream, downstream_images, figure_nodes as plots, nodes
from layerwise.pipelines.evaluation.cards import create_network_card
from layerwise.pipelines.facts import ProblemFacts, current_facts
from layerwise.pipelines.previews import AutoencoderPreview
from layerwise.pipelines.privacy import create_privacy
from layerwise.pipelines.recommendation import create_recommendation
from layerwise.pipelines.stage import Stage
from layerwise.sweeping import Objective
from layerwise.training.autoencoder import known_variants

NAME = "autoencoder"
NETWORK = "autoencoder_network"
SEED = "params:seed"
SETTINGS = ["autoencoder_settings", SEED]
HISTORY = "autoencoder_history"
# A longer code, or one that may cost less, reconstructs better without being a better code.
OBJECTIVE = Objective(
    metric="validation/reconstruction_sse",
    history=HISTORY,
    fixed=(
        "preprocessing",
        "autoencoder.variant",
        "autoencoder.latent_size",
        "autoencoder.top_k_units",
        "autoencoder.beta",
        "autoencoder.free_bits",
        "autoencoder.importance_samples",
    ),
)


def create_pipeline(facts: ProblemFacts | None = None) -> Pipeline:
    """Return the pipeline of a problem, the present session's by default."""
    facts = facts or current_facts()
    probed, downstream_tasks = (facts.is_on(f"autoencoder.{each}") for each in ("probe", "downstream_tasks"))
    before = preprocessing.create_pipeline(
        NAME,
        supervised=False,
        input_example=True,
        labelled=probed,
        sized=["autoencoder"],
        pretrains=True,
        compares=downstream_tasks or _variant_has(facts, "is_generative"),
        facts=facts,
    )
    own = _training(facts) + _evaluation(facts) + _reporting(facts)
    if downstream_tasks:
        own += _downstream_tasks(facts) + _downstream_figures(facts)
    found = before + Pipeline(own)
    return found + create_network_card(NAME, "an autoencoder", found)


def _variant_has(facts: ProblemFacts, what: str) -> bool:
    """Say whether networks of the variant have features, or are generative; all where no problem is known."""
    variant = known_variants().get(str(facts.parameter("autoencoder.variant")))
    return facts.are_dense and (variant is None or getattr(variant, what))


def _has_demo(facts: ProblemFacts) -> bool:
    """Say whether the page to try a network on has its layers and their activation."""
    activation = facts.parameter("autoencoder.activation")
    return facts.parameter("autoencoder.variant") == "variational" and activation in (None, *DEMO_ACTIVATIONS)


def _learns_with_noise(facts: ProblemFacts) -> bool:
    """Say whether the network learns to take noise away; all do where no problem is known."""
    name, given = str(facts.parameter("autoencoder.variant")), facts.parameter("autoencoder.corruption")
    variant = known_variants().get(name)
    if variant is None:
        return True
    return (
        given or corruption_by_rule(name, facts.rows) or variant.defaults.get("corruption", "none")
    ) != "none"


def _training(facts: ProblemFacts) -> list[Node]:
    stage, outputs, preview = Stage("training", NAME), [NETWORK, HISTORY], AutoencoderPreview(NAME)
    inputs = ["training", "validation", "data_spec", *SETTINGS]
    if facts.has_rows("table", "images", "documents"):
        inputs = [*inputs, "params:layer_statistics", *(["unlabelled"] if facts.are_partly_labelled else [])]
        return [stage.node(nodes.train_network, inputs, outputs, "train_autoencoder", preview)]
    return [stage.node(nodes.train_rating_network, inputs, outputs, "train_autoencoder", preview)]


def _evaluation(facts: ProblemFacts) -> list[Node]:
    stage, learnt = Stage("evaluation", NAME), [NETWORK, "training", "test", "data_spec"]
    found = []
    if facts.are_dense:
        found.append(stage.measure(nodes.evaluate_reconstruction, learnt, "reconstruction_metrics"))
        found += create_reference(NAME, NETWORK, facts)
    if _variant_has(facts, "is_generative"):
        inputs = [NETWORK, "test", "data_spec", "preprocessor", *SETTINGS]
        found.append(stage.measure(nodes.estimate_likelihood, inputs, "likelihood"))
        if facts.has_rows("table"):
            found.append(create_privacy(NAME, NETWORK))
    if facts.are_labelled and facts.is_on("autoencoder.probe"):
        inputs = [NETWORK, "labelled", "validation", "test", "data_spec", *SETTINGS]
        found.append(stage.measure(nodes.probe_latent, inputs, "probe"))
    if facts.has_rows("ratings"):
        inputs = [NETWORK, "training", "test", "preprocessor"]
        found.append(stage.measure(downstream.recommend, inputs, "recommendation"))
        found.append(create_recommendation(NAME, NETWORK))
    return found


def _downstream_tasks(facts: ProblemFacts) -> list[Node]:
    stage, learnt = Stage("evaluation", NAME), [NETWORK, "training", "test", "data_spec"]
    images, found = downstream_images, []
    if facts.are_dense:
        found.append(stage.measure(downstream.compress, learnt, "compression"))
    if facts.are_labelled:
        rows = ["training", "validation", "test", "data_spec"]
        found.append(stage.measure(downstream.detect_anomalies, [*rows, *SETTINGS], "anomalies"))
    if facts.have_classes:
        rows = [NETWORK, "training", "validation", "test", "data_spec", SEED]
        found.append(stage.measure(detect_each_class, rows, "class_anomalies"))
    if facts.has_rows("table"):
        rows = [NETWORK, "reference", "training", "test", "data_spec", SEED]
        found.append(stage.measure(downstream.impute_missing_cells, rows, "imputation"))
    if facts.has_rows("images"):
        rows = ["training", "validation", "data_spec"]
        outputs = ["sequences_network", "sequences_history"]
        if _learns_with_noise(facts):
            inputs = [NETWORK, "test", "data_spec", *SETTINGS]
            found.append(stage.measure(images.denoise, inputs, "denoising"))
        found.append(Stage("training", NAME).node(images.train_sequence_network, [*rows, *SETTINGS], outputs))
        found.append(
            stage.measure(
                images.predict_sequences, ["sequences_network", "training", "test", "data_spec"], "sequences"
            )
        )
    return found


def _reporting(facts: ProblemFacts) -> list[Node]:
    stage = Stage("reporting", NAME)
    found = [
        stage.figure(plots.plot_learning_curves, [HISTORY]),
        stage.figure(plots.plot_hidden_activations, [NETWORK, "test"]),
        stage.figure(plots.plot_latent_map, [NETWORK, "test", "data_spec"]),
    ]
    if facts.are_dense:
        found.append(stage.figure(views.plot_reconstructions, [HISTORY, "data_spec", "preprocessor"]))
    if _variant_has(facts, "has_features"):
        found.append(stage.figure(plots.plot_features, [NETWORK, "test", "data_spec"]))
    if facts.has_rows("images"):
        found.append(stage.figure(plots.plot_comparison, [NETWORK, "training", "test", "data_spec"]))
        found.append(stage.figure(plots.plot_interpolation, [NETWORK, "test", "data_spec"]))
    if _variant_has(facts, "is_generative"):
        if facts.has_rows("images"):
            inputs = [NETWORK, "data_spec", SEED]
            found.append(stage.figure(plots.plot_image_samples, inputs, "plot_samples"))
            if _has_demo(facts):
                found.append(stage.node(plots.write_demo, [NETWORK, "test", "data_spec"], "demo"))
        else:
            inputs = [NETWORK, "training", "preprocessor", SEED]
            found.append(stage.figure(plots.plot_sampled_marginals, inputs, "plot_samples"))
    return found


def _downstream_figures(facts: ProblemFacts) -> list[Node]:
    stage, found = Stage("reporting", NAME), []
    if facts.are_dense:
        found.append(stage.figure(plots.plot_compression, ["compression"]))
    if facts.are_labelled:
        found.append(stage.figure(plots.plot_anomalies, ["anomalies"]))
    if facts.have_classes:
        found.append(stage.figure(plot_class_anomalies, ["class_anomalies", "data_spec"]))
    if facts.has_rows("table"):
        found.append(stage.figure(plots.plot_imputation, ["imputation"]))
    if facts.has_rows("images"):
        if _learns_with_noise(facts):
            shown = [NETWORK, "test", "denoising", "data_spec", *SETTINGS]
            found.append(stage.figure(plots.plot_denoising, shown))
        found.append(stage.figure(plots.plot_sequences, ["sequences_network", "test", "data_spec"]))
    return found
