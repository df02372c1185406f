"""A pipeline holds what applies to the problem, and nothing else."""

import pytest

from layerwise.pipelines.autoencoder import create_pipeline as autoencoder
from layerwise.pipelines.class_samples import chain_epochs, has_class_samples
from layerwise.pipelines.evaluation import create_pipeline as evaluation
from layerwise.pipelines.facts import ProblemFacts
from layerwise.pipelines.gan import create_pipeline as gan
from layerwise.pipelines.rbm import create_pipeline as rbm
from layerwise.training.autoencoder import known_variants

AUTOENCODER = {
    "reporting.write_model_card",
    "training.train_autoencoder",
    "reporting.plot_learning_curves",
    "reporting.plot_hidden_activations",
    "reporting.plot_latent_map",
}
LABELLED = {
    "evaluation.evaluate_reconstruction",
    "evaluation.measure_reference",
    "evaluation.probe_latent",
    "evaluation.compress",
    "evaluation.detect_anomalies",
    "evaluation.detect_each_class",
    "reporting.plot_reconstructions",
    "reporting.plot_features",
    "reporting.plot_compression",
    "reporting.plot_anomalies",
    "reporting.plot_class_anomalies",
}
IMAGES = {
    "training.train_sequence_network",
    "evaluation.denoise",
    "evaluation.predict_sequences",
    "reporting.plot_comparison",
    "reporting.plot_interpolation",
    "reporting.plot_denoising",
    "reporting.plot_sequences",
}
TABLE = {"evaluation.impute_missing_cells", "reporting.plot_imputation"}


def nodes_of(pipeline, name):
    """The names of a pipeline's own nodes, without its name at their end."""
    return {
        node.name.removesuffix(f"_{name}") for node in pipeline.nodes if node.namespace != "preprocessing"
    }


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        (None, AUTOENCODER | LABELLED | IMAGES),
        ("churn", AUTOENCODER | LABELLED | TABLE),
        ("movielens", AUTOENCODER | {"evaluation.recommend", "evaluation.fit_recommender"}),
    ],
)
def test_the_autoencoder_has_the_nodes_of_the_sessions_problem(project, env, expected):
    from kedro.framework.project import pipelines

    with project.session(env) as session:
        session.load_context()
        assert nodes_of(pipelines["autoencoder"], "autoencoder") == expected


def facts(rows, task, **parameters):
    return ProblemFacts(rows, {"problem": {"task": task}, **parameters})


@pytest.mark.parametrize(
    ("switched", "gone"),
    [
        (
            {"downstream_tasks": False},
            {
                name
                for name in LABELLED | IMAGES
                if name.split("_")[-1] in ("compression", "anomalies", "denoising", "sequences", "network")
            }
            | {"evaluation.compress", "evaluation.denoise", "evaluation.detect_each_class"},
        ),
        ({"probe": False}, {"evaluation.probe_latent"}),
        ({"variant": "convolutional"}, {"reporting.plot_features"}),
        ({"variant": "sparse"}, {"evaluation.denoise", "reporting.plot_denoising"}),
        ({"variant": "sparse", "corruption": "gaussian"}, set()),
        (
            {"variant": "compression", "corruption": "none"},
            {"evaluation.denoise", "reporting.plot_denoising"},
        ),
        ({"variant": "compression"}, set()),
    ],
)
def test_what_is_switched_off_is_not_in_the_autoencoders_pipeline(switched, gone):
    given = {"variant": "denoising", **switched}
    found = nodes_of(autoencoder(facts("images", "multiclass", autoencoder=given)), "autoencoder")
    assert found == (AUTOENCODER | LABELLED | IMAGES) - gone


def test_likelihood_and_samples_are_those_of_a_variational_autoencoder():
    given = facts("images", "multiclass", autoencoder={"variant": "variational"})
    own = {"evaluation.estimate_likelihood", "reporting.plot_samples", "reporting.write_demo"}
    without = {"evaluation.denoise", "reporting.plot_denoising"}  # since it learns with no noise
    assert nodes_of(autoencoder(given), "autoencoder") == (AUTOENCODER | LABELLED | IMAGES | own) - without


def test_a_page_to_try_a_network_on_is_of_the_units_and_activations_that_it_has():
    for given in ({"visible": "gaussian"}, {"hidden": "nrelu"}):
        assert "reporting.write_demo" not in nodes_of(rbm(facts("images", "multiclass", rbm=given)), "rbm")
    own = {"variant": "variational", "activation": "selu"}
    given = facts("images", "multiclass", autoencoder=own)
    assert "reporting.write_demo" not in nodes_of(autoencoder(given), "autoencoder")


def test_a_variant_says_of_its_networks_what_is_shown_of_them():
    variants = known_variants()
    assert {name for name, each in variants.items() if each.is_generative} == {"variational"}
    assert {name for name, each in variants.items() if not each.has_features} == {"convolutional"}


RBM = {
    "reporting.write_model_card",
    "training.train_rbm",
    "reporting.plot_filters",
    "reporting.plot_hidden_activations",
    "reporting.plot_latent_map",
    "reporting.plot_learning_curves",
}
RBM_LABELLED = {
    "evaluation.measure_reference",
    "evaluation.measure_likelihood",
    "evaluation.probe_features",
    "reporting.plot_reconstructions",
    "reporting.plot_samples",
}
RBM_OF_A_TABLE = {"evaluation.measure_sampled_rows", "reporting.plot_imputation"}
RBM_OF_IMAGES = {"evaluation.sample_images", "reporting.plot_inpainting", "reporting.write_demo"}
LABEL_UNITS = {
    "training.train_classification_rbm",
    "evaluation.evaluate_classification_rbm",
    "evaluation.detect_each_class",
    "reporting.plot_class_anomalies",
}


@pytest.mark.parametrize(
    ("rows", "task", "expected"),
    [
        (
            "images",
            "multiclass",
            RBM_LABELLED | LABEL_UNITS | RBM_OF_IMAGES | {"evaluation.measure_image_samples"},
        ),
        ("table", "binary", RBM_LABELLED | LABEL_UNITS | RBM_OF_A_TABLE),
        ("table", "regression", RBM_LABELLED | RBM_OF_A_TABLE),
        ("ratings", "ratings", {"evaluation.recommend", "evaluation.fit_recommender"}),
        ("documents", "documents", {"evaluation.find_topics"}),
    ],
)
def test_an_rbm_has_the_nodes_of_its_rows_and_task(rows, task, expected):
    assert nodes_of(rbm(facts(rows, task)), "rbm") == RBM | expected


def test_what_is_switched_off_is_not_in_the_rbms_pipeline():
    settings = {"classification_rbm": False, "probe": False, "hidden": "nrelu"}
    found = nodes_of(rbm(facts("images", "multiclass", rbm=settings)), "rbm")
    assert found == RBM | {
        "evaluation.measure_reference",
        "evaluation.sample_images",
        "reporting.plot_reconstructions",
        "reporting.plot_samples",
        "reporting.plot_inpainting",
    }
    exact = nodes_of(rbm(facts("images", "multiclass", rbm={"likelihood": {"method": "none"}})), "rbm")
    assert "evaluation.measure_likelihood" not in exact


@pytest.mark.parametrize(
    ("stack", "parameters", "is_there"),
    [
        ("dbn", {}, True),
        ("sae", {}, False),
        ("dbm", {}, True),
        ("dbm", {"dbm": {"likelihood": {"method": "none"}}}, False),
        ("dbn", {"dbn": {"likelihood": {"method": "none"}}}, False),
        # A stack that was trained with dropout has no likelihood of its own.
        ("dbn", {"pretraining": {"dropout": 0.5}}, False),
    ],
)
def test_a_stack_that_has_a_likelihood_has_its_bound(stack, parameters, is_there):
    found = nodes_of(evaluation("dbn", stack, facts=facts("images", "multiclass", **parameters)), "dbn")
    assert ("evaluation.bound_log_prob" in found) == is_there


GAN = {
    "reporting.write_model_card",
    "training.train_gan",
    "reporting.plot_learning_curves",
    "reporting.plot_memorization",
    "reporting.plot_sample_progress",
    "reporting.plot_samples",
    "reporting.write_report",
}
GAN_IMAGES = {
    "evaluation.sample_images",
    "evaluation.evaluate_samples",
    "evaluation.synthesize_images",
    "reporting.plot_classes",
}
CLASSIFIER = {"training.train_feature_classifier"}
BASELINES = {"evaluation.sample_baseline", "evaluation.evaluate_baselines"}
GAN_TABLE = {
    "training.encode_rows",
    "evaluation.sample_rows",
    "evaluation.evaluate_columns",
    "evaluation.evaluate_rows",
    "evaluation.synthesize_rows",
}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (facts("images", "multiclass"), GAN_IMAGES | CLASSIFIER | BASELINES),
        (facts("images", "multiclass", gan={"baselines": False}), GAN_IMAGES | CLASSIFIER),
        (facts("table", "binary"), GAN_TABLE | CLASSIFIER | {"reporting.plot_classes"}),
        (facts("table", "regression"), GAN_TABLE),
        (ProblemFacts("table", {"problem": {"task": "binary", "target": ""}}), GAN_TABLE),
    ],
)
def test_a_gan_has_the_nodes_of_images_or_of_a_table(given, expected):
    assert nodes_of(gan(given), "gan") == GAN | expected


@pytest.mark.parametrize(
    ("task", "condition", "function"),
    [
        ("multiclass", "auto", "plot_class_samples"),
        ("binary", "auto", "plot_samples"),
        ("multiclass", "none", "plot_samples"),
        ("multiclass", "caption", "plot_captioned_samples"),
    ],
)
def test_samples_are_shown_by_what_they_are_conditional_on(task, condition, function):
    pipeline = gan(facts("images", task, gan={"condition": condition}))
    node = next(node for node in pipeline.nodes if node.name == "reporting.plot_samples_gan")
    assert node.func.__name__ == function
    assert ("gan.captions" in pipeline.all_outputs()) == (condition == "caption")


@pytest.mark.parametrize(
    ("given", "reads_labels"),
    [
        (facts("images", "multiclass"), True),
        (facts("table", "regression"), True),
        (facts("table", "regression", rbm={"probe": False}, autoencoder={"probe": False}), False),
        (facts("ratings", "ratings"), False),
    ],
)
@pytest.mark.parametrize(("create", "name"), [(autoencoder, "autoencoder"), (rbm, "rbm")])
def test_labelled_rows_are_chosen_where_labels_are_read(create, name, given, reads_labels):
    assert (f"{name}.labelled" in create(given).all_outputs()) == reads_labels


@pytest.mark.parametrize(("create", "name"), [(autoencoder, "autoencoder"), (rbm, "rbm"), (gan, "gan")])
def test_where_no_problem_is_known_the_pipeline_is_whole(create, name):
    whole = nodes_of(create(ProblemFacts()), name)
    parts = [facts("images", "multiclass")]
    if name != "gan":
        parts += [facts("ratings", "ratings"), facts("documents", "documents")]
    assert whole >= set().union(*(nodes_of(create(part), name) for part in parts))


@pytest.mark.parametrize(
    ("rows", "task", "parameters", "there"),
    [
        ("images", "multiclass", {}, True),
        ("images", "multiclass", {"dbn": {"class_samples": False}}, False),
        ("images", "multiclass", {"pretraining": {"visible": "gaussian"}}, False),
        ("images", "multiclass", {"pretraining": {"dropout": 0.5}}, False),
        ("images", "regression", {}, False),
        ("table", "multiclass", {}, False),
    ],
)
def test_only_images_of_one_class_each_are_sampled_by_class(rows, task, parameters, there):
    assert has_class_samples(facts(rows, task, **parameters)) == there


@pytest.mark.parametrize(
    ("epochs", "steps", "found"),
    [(20, 36, 60), (10, 100, 22), (20, 550, 30), (1, 1, 3)],
    ids=[
        "the digits: three times as many",
        "up to the steps",
        "of many rows half as many more",
        "never more",
    ],
)
def test_samples_of_classes_take_more_epochs_where_an_epoch_is_few_steps(epochs, steps, found):
    assert chain_epochs(epochs, 100 * steps, 100) == found
