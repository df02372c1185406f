import math

import numpy as np
import pytest
import torch
from helpers.digits import embedded_digits
from PIL import Image

from layerwise.data import ColumnBlock, DataSpec, TensorData
from layerwise.models import load_network
from layerwise.pipelines.autoencoder.downstream_images import predict_sequences, train_sequence_network
from layerwise.training.autoencoder import AutoencoderSettings

FIGURES = (
    "anomalies",
    "latent_map",
    "comparison",
    "compression",
    "denoising",
    "features",
    "hidden_activations",
    "interpolation",
    "learning_curves",
    "reconstructions",
    "sequences",
)
VARIATIONAL_NODES = (
    "evaluation.estimate_likelihood",
    "evaluation.evaluate_reconstruction",
    "reporting.plot_samples",
    "reporting.write_demo",
)


@pytest.fixture(scope="module")
def trained(project):
    """Every node once: the embedded digits, and all downstream tasks."""
    # Few epochs: the recurrent autoencoder takes most of the time, and its batches have 25 rows at most.
    settings = {
        "latent_size": 12,
        "learning_rate": 0.01,
        "hidden_sizes": [128],
        "epochs": 2,
        "batch_size": 60,
    }
    project.run("autoencoder", problem={"name": "latent"}, autoencoder=settings)
    return project


def report(project, name, problem="latent"):
    return project.json(f"08_reporting/{problem}/autoencoder/{name}.json")


@pytest.mark.figures
@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_is_drawn(trained, name):
    with Image.open(trained.path / f"data/08_reporting/latent/autoencoder/{name}.png") as image:
        assert min(image.size) > 200
        assert len(np.unique(np.asarray(image.convert("L")))) > 10


def test_the_card_says_what_was_measured(trained):
    card = (trained.path / "data/08_reporting/latent/autoencoder/model_card.md").read_text()
    assert "# Model card of an autoencoder" in card
    measured = {each["name"]: each["value"] for each in report(trained, "metrics_reconstruction")}
    own, other = measured["test/reconstruction_sse"], measured["test/pca_reconstruction_sse"]
    assert f"| reconstruction_sse | {own:.5g} |" in card
    assert ("Worse than as many principal components: reconstruction_sse" in card) == (own > 1.02 * other)


def test_reconstructions_are_those_of_the_saved_network_beside_as_many_components(trained):
    found = report(trained, "reconstruction_metrics")
    network = load_network(trained.path / "data/06_models/latent/autoencoder/autoencoder_network")
    rows = trained.catalog(problem={"name": "latent"}).load("autoencoder.test").inputs
    error = float((network.reconstruct(rows) - rows).square().sum(1).mean().detach())
    assert found["reconstruction"]["reconstruction_sse"] == pytest.approx(error, rel=1e-4)
    assert found["reconstruction"]["reconstruction_mse"] == pytest.approx(error / 784, rel=1e-4)
    assert found["pca"]["components"] == 12
    assert 20 < found["pca"]["reconstruction_sse"] < 30
    tracked = trained.query("select value from metrics where key = 'test/reconstruction_sse'")
    assert pytest.approx(error, rel=1e-4) in [value for (value,) in tracked]


def test_downstream_tasks_have_their_metrics(trained):
    anomalies = report(trained, "anomalies")
    assert anomalies["anomaly"] == "class 9"
    assert {"reconstruction", "density", "isolation_forest"} == set(anomalies["methods"])
    assert anomalies["score"] == "density"
    assert sum(anomalies["is_anomaly"]) == 100
    classes = report(trained, "class_anomalies")["classes"]
    assert list(classes) == [str(digit) for digit in range(10)]
    assert all(each["auc_low"] <= each["auc"] <= each["auc_high"] for each in classes.values())
    noise = report(trained, "denoising")
    assert set(noise) == {"gaussian"}
    assert noise["gaussian"]["after"]["psnr"] > noise["gaussian"]["before"]["psnr"]
    curves = report(trained, "compression")["curves"]
    assert [point["bytes"] for point in curves["pca"]] == [3, 4.5, 6, 9, 12]
    sequences = report(trained, "sequences")
    assert sequences["prediction_sse"] < sequences["last_line_sse"]
    assert set(report(trained, "probe")) == {"latent", "raw", "pca"}
    written = {path.stem for path in (trained.path / "data/08_reporting/latent/autoencoder").glob("[!.]*")}
    assert written.isdisjoint({"imputation", "metrics_imputation", "likelihood", "recommendation", "samples"})


def test_its_version_carries_the_intervals_by_which_other_sizes_are_compared_with_it(trained):
    sql = "select key, value from model_version_tags where name = 'latent.autoencoder' and key like '%.half_width'"
    tags = dict(trained.query(sql))
    main, error = (
        report(trained, "anomalies")["methods"]["density"],
        report(trained, "probe")["latent"]["error"],
    )
    assert {key: float(value) for key, value in tags.items()} == {
        "test.anomaly_auc.half_width": pytest.approx((main["auc_high"] - main["auc_low"]) / 2),
        "test.probe/latent/error.half_width": pytest.approx((error["high"] - error["low"]) / 2),
    }


def test_a_variational_autoencoder_bounds_the_likelihood_and_says_how_pixels_were_binarized(project):
    settings = {
        "variant": "variational",
        "hidden_sizes": [60],
        "latent_size": 8,
        "downstream_tasks": False,
        "probe": False,
    }
    project.run(
        "autoencoder",
        problem={"name": "vae"},
        preprocessing={"binarize": "dynamic"},
        autoencoder=settings | {"learning_rate": 0.003},
        to_nodes=[f"{name}_autoencoder" for name in VARIATIONAL_NODES],
    )
    found = report(project, "likelihood", "vae")
    assert found["binarization"] == {"training": "dynamic", "test": "one draw"}
    assert -300 < found["elbo"] < found["log_prob"] < 0
    assert found["samples"] == 20
    assert found["elbo"] == pytest.approx(-found["reconstruction"] - found["kl_divergence"])
    assert 0 <= report(project, "reconstruction_metrics", "vae")["latent"]["active_units"] <= 8
    written = {path.stem for path in (project.path / "data/08_reporting/vae/autoencoder").glob("[!.]*")}
    assert written.isdisjoint({"anomalies", "denoising", "compression", "sequences", "probe"})
    assert "demo" in written


def test_a_table_is_imputed_and_its_synthetic_anomalies_are_detected(project):
    project.run(
        "autoencoder",
        env="forest_fires",
        problem={"name": "fires"},
        autoencoder={"variant": "denoising", "batch_size": 50, "epochs": 10, "latent_size": 40},
    )
    shape = project.json("06_models/fires/autoencoder/autoencoder_network/network.json")
    assert shape["loss"] == "mixed"
    anomalies = report(project, "anomalies", "fires")
    assert anomalies["anomaly"] == "rows with half their columns from other rows"
    assert 0 <= anomalies["methods"]["reconstruction"]["auc"] <= 1
    columns = {each["column"] for each in report(project, "imputation", "fires")}
    assert {"temp", "month"} <= columns
    for each in report(project, "imputation", "fires"):
        assert set(each["errors"]) == {"autoencoder", "mean", "knn", "iterative"}
        assert all(math.isfinite(error) for error in each["errors"].values())


def test_layer_statistics_cover_the_encoder_and_the_decoder(project):
    project.run(
        "autoencoder",
        problem={"name": "healthy"},
        layer_statistics=True,
        autoencoder={"variant": "deep", "hidden_sizes": [20], "latent_size": 5, "epochs": 1},
        to_nodes=["training.train_autoencoder_autoencoder"],
    )
    layer_statistics = project.json("07_model_output/healthy/autoencoder/autoencoder_history.json")[
        "layer_statistics"
    ]
    layers = {name.split("/")[1] for name in layer_statistics[0]}
    assert {"layer_1", "layer_2", "layer_3", "output"} <= layers


@pytest.mark.parametrize(
    ("env", "params", "message"),
    [
        (None, {"variant": "variatonal"}, "autoencoder.variant"),
        (None, {"latent_size": 900}, "900 is no bottleneck for 784 inputs"),
        (None, {"variant": "overcomplete", "latent_size": 10}, "not larger than 784"),
        (None, {"batch_size": 9999}, "autoencoder.batch_size is 9999"),
        ("forest_fires", {"variant": "convolutional", "batch_size": 50}, "is for images"),
        ("forest_fires", {"loss": "binary_cross_entropy", "batch_size": 50}, r"needs inputs in \[0, 1\]"),
        (
            "forest_fires",
            {"variant": "denoising", "corruption": "salt_and_pepper", "batch_size": 50},
            "take swap or gaussian",
        ),
    ],
)
def test_settings_that_do_not_fit_the_rows_are_refused_before_training(project, env, params, message):
    with pytest.raises((ValueError, RuntimeError), match=message):
        project.run("autoencoder", env=env, problem={"name": "unfit"}, autoencoder=params)


def test_a_few_hundred_images_are_enough_to_predict_lower_halves_better_than_their_mean():
    pixels = torch.from_numpy(embedded_digits()[0]).float() / 255
    rows = pixels[torch.randperm(len(pixels), generator=torch.Generator().manual_seed(0))]
    training, validation, test = (TensorData(rows[a:b]) for a, b in ((0, 800), (800, 900), (900, 1100)))
    columns = DataSpec(
        task="multiclass", n_inputs=784, n_outputs=10, feature_names=tuple(str(k) for k in range(784)),
        target_names=("label",), blocks=(ColumnBlock(name="pixels", kind="binary", start=0, stop=784),),
        class_names=tuple(str(k) for k in range(10)), image_shape=(28, 28),
    )  # fmt: skip
    network, history = train_sequence_network(
        training, validation, columns, AutoencoderSettings(batch_size=100, epochs=6), 0
    )
    found, _ = predict_sequences(network, training, test, columns)
    assert len(history.epochs) == 6
    assert found.prediction_sse < 0.95 * found.mean_sse
