import math
import re

import mlflow
import numpy as np
import pytest
import torch
from PIL import Image

from layerwise.data import ColumnBlock, DataSpec, TensorData
from layerwise.models import load_network
from layerwise.models.rbm import RBM, RBMConfig, class_log_probabilities
from layerwise.parameters import RBMSettings
from layerwise.pipelines.rbm.figure_nodes import plot_imputation
from layerwise.pipelines.rbm.nodes import train_classification_rbm
from layerwise.utils import torch_rng

FIGURES = (
    "class_anomalies",
    "latent_map",
    "filters",
    "hidden_activations",
    "inpainting",
    "learning_curves",
    "reconstructions",
    "samples",
)


@pytest.fixture(scope="module")
def trained(project):
    project.run("rbm", problem={"name": "digits_rbm"})
    return project


def report(project, name, problem="digits_rbm"):
    return project.json(f"08_reporting/{problem}/rbm/{name}.json")


@pytest.mark.figures
@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_is_drawn(trained, name):
    with Image.open(trained.path / f"data/08_reporting/digits_rbm/rbm/{name}.png") as image:
        assert min(image.size) > 200
        assert len(np.unique(np.asarray(image.convert("L")))) > 10


def test_a_run_says_how_many_classes_its_samples_have(trained):
    found = {each["name"]: each["value"] for each in report(trained, "metrics_image_samples")}
    catalog = trained.catalog(problem={"name": "digits_rbm"})
    samples, rbm = catalog.load("rbm.image_samples").inputs, catalog.load("rbm.classification_rbm")
    counts = class_log_probabilities(rbm, samples, 10).argmax(1).bincount(minlength=10) / len(samples)
    assert found == {
        "samples/classes": (counts > 0).sum(),
        "samples/smallest_class": counts.min(),
        "samples/largest_class": counts.max(),
    }


def test_the_card_has_what_was_measured_and_the_settings_that_had_a_use(trained):
    card = (trained.path / "data/08_reporting/digits_rbm/rbm/model_card.md").read_text()
    measured = {each["name"]: each["value"] for each in report(trained, "metrics_likelihood")}
    low, high = measured["test/log_prob_low"], measured["test/log_prob_high"]
    assert f"| log_prob | {measured['test/log_prob']:.5g} [{low:.5g}, {high:.5g}] |" in card
    assert "| probe/" in card
    assert "| `rbm.n_hidden` | `40` |" in card
    assert "rbm.temperatures" not in card
    page = (trained.path / "data/08_reporting/digits_rbm/rbm/report.html").read_text()
    assert "Model card of a restricted Boltzmann machine" in page
    run_id = trained.last_run()[0]
    client = mlflow.MlflowClient(f"sqlite:///{trained.path}/mlflow.db")
    there = {file.path for folder in (None, "figures") for file in client.list_artifacts(run_id, folder)}
    linked = re.findall(r'<img src="([^"]+)"', page)
    assert len(linked) == len(FIGURES)
    assert {"report.html", "model_card.md", "demo.html", *linked} <= there


def test_the_log_probability_is_an_interval_that_the_saved_rbm_gives(trained):
    found = report(trained, "likelihood")
    partition, test = found["log_partition"], found["log_probability"]["test"]
    assert partition["method"] == "ais"
    assert partition["ais_mean"] <= partition["ais"]
    assert test["low"] <= test["midpoint"] <= test["high"]
    rbm = trained.catalog(problem={"name": "digits_rbm"}).load("rbm.rbm")
    rows = trained.catalog(problem={"name": "digits_rbm"}).load("rbm.test").inputs
    binarized = torch.bernoulli(rows, generator=torch.Generator().manual_seed(5))
    # Another draw of the binarized pixels moves the mean of 1,000 rows by a fraction of a nat.
    expected = float(-rbm.free_energy(binarized).mean()) - partition["high"]
    assert test["low"] == pytest.approx(expected, abs=1.5)
    independent = rows.mean(0).clamp(1e-3, 1 - 1e-3)
    assert test["midpoint"] > float(
        torch.distributions.Bernoulli(independent).log_prob(binarized).sum(1).mean()
    )


def test_the_history_monitors_what_reconstruction_does_not_show(trained):
    epochs = trained.json("07_model_output/digits_rbm/rbm/rbm_history.json")["epochs"]
    assert len(epochs) == 4
    for name in ("pseudo_likelihood", "free_energy_gap", "reconstruction"):
        assert all(math.isfinite(epoch[f"validation/{name}"]) for epoch in epochs)
    assert epochs[-1]["validation/pseudo_likelihood"] > epochs[0]["validation/pseudo_likelihood"]
    assert epochs[-1]["norm/weight"] > epochs[0]["norm/weight"]
    tracked = trained.query(
        "select distinct key from metrics where key in ('validation/pseudo_likelihood', 'test/log_prob')"
    )
    assert len(tracked) == 2


def test_reconstructions_are_kept_at_four_stages_with_a_falling_cross_entropy(trained):
    reconstruction_history = trained.json("07_model_output/digits_rbm/rbm/rbm_history.json")[
        "reconstruction_history"
    ]
    assert [stage["epoch"] for stage in reconstruction_history] == [0, 1, 2, 4]
    assert reconstruction_history[-1]["loss"] < reconstruction_history[0]["loss"]


def test_features_are_probed_beside_raw_rows_and_components(trained):
    found = report(trained, "probe")
    assert set(found) == {"features", "raw", "pca"}
    assert all(metrics["error"]["value"] < 0.4 for metrics in found.values())
    assert all(metrics["error"]["base_rate"] == pytest.approx(0.9) for metrics in found.values())


def test_label_units_classify(trained):
    found = report(trained, "classification_metrics")
    assert found["error"]["value"] < 0.6
    network = load_network(trained.path / "data/06_models/digits_rbm/rbm/classification_rbm")
    assert network.config.n_visible == 794


@pytest.mark.parametrize(("env", "visible"), [("forest_fires", "mixed"), ("forest_fires_size", "mixed")])
def test_a_table_gets_units_that_fit_its_columns(project, env, visible):
    project.run("rbm", env=env, rbm={"n_hidden": 6, "batch_size": 50})
    shape = project.json(f"06_models/{env}/rbm/rbm/network.json")
    assert shape["visible"] == visible
    found = project.json(f"08_reporting/{env}/rbm/likelihood.json")
    assert found["log_partition"]["method"] == "exact"
    assert math.isfinite(found["log_probability"]["test"]["low"])
    probe = project.json(f"08_reporting/{env}/rbm/probe.json")
    assert set(probe) == {"features", "raw", "pca"}
    classification = project.path / f"data/08_reporting/{env}/rbm/classification_metrics.json"
    assert classification.exists() == (env == "forest_fires_size")


def test_what_is_switched_off_is_left_out(project):
    settings = {
        "classification_rbm": False,
        "probe": False,
        "likelihood": {"method": "none"},
        "hidden": "nrelu",
    }
    project.run("rbm", problem={"name": "bare"}, rbm=settings | {"learning_rate": 0.001, "epochs": 1})
    written = {path.name for path in (project.path / "data/08_reporting/bare/rbm").glob("[!.]*")}
    figures = {
        "filters",
        "hidden_activations",
        "inpainting",
        "latent_map",
        "learning_curves",
        "reconstructions",
    }
    texts = {"model_card.md", "report.html"}
    assert written == texts | {f"{name}.png" for name in figures | {"samples"}}
    assert not (project.path / "data/06_models/bare/rbm/classification_rbm").exists()


def test_choosing_by_reconstruction_error_is_refused(project):
    with pytest.raises(ValueError, match="not chosen by its reconstruction error"):
        project.run("rbm", rbm={"monitor": "validation/reconstruction"})


def test_a_diverging_rbm_stops_with_its_remedy(project):
    settings = {"n_hidden": 6, "batch_size": 50, "gaussian_learning_rate": 5.0}
    with pytest.raises(RuntimeError, match=r"rbm: .* became .*lower learning rate"):
        project.run("rbm", env="forest_fires", problem={"name": "diverging"}, rbm=settings)


def test_of_many_columns_some_are_imputed_spread_over_the_table():
    names = tuple(f"x{k}" for k in range(90))
    columns = DataSpec(
        task="regression", n_inputs=90, n_outputs=1, feature_names=names, target_names=("y",),
        blocks=tuple(ColumnBlock(name=name, kind="real", start=k, stop=k + 1) for k, name in enumerate(names)),
    )  # fmt: skip
    rbm = RBM(RBMConfig(n_visible=90, n_hidden=2, visible="gaussian"), torch_rng(0, "test"))
    figure = plot_imputation(rbm, TensorData(torch.zeros(5, 90)), columns, 0)
    assert figure.axes[0].images[0].get_array().shape == (30, 2)
    assert [tick.get_text() for tick in figure.axes[0].get_yticklabels()][:3] == ["x0", "x3", "x6"]
    assert figure.get_suptitle() == "Imputation of missing columns (30 of 90)"


def test_a_run_without_a_table_of_metrics_says_too_where_its_figures_lie(trained, caplog):
    caplog.set_level("INFO")
    trained.run(
        "rbm", to_nodes=["reporting.plot_filters_rbm"], problem={"name": "says_where"}, rbm={"epochs": 1}
    )
    where = "Figures: data/08_reporting/says_where/rbm; the run: `mlflow ui`, experiment says_where"
    assert where in caplog.messages


def test_the_rbm_with_label_units_keeps_its_last_weights():
    columns = DataSpec(
        task="multiclass", n_inputs=6, n_outputs=2, feature_names=tuple("abcdef"), target_names=("y",),
        class_names=("0", "1"), blocks=(ColumnBlock(name="all", kind="binary", start=0, stop=6),),
    )  # fmt: skip
    rng = torch_rng(0, "rows")
    rows = TensorData(torch.rand(40, 6, generator=rng).round(), torch.randint(0, 2, (40,), generator=rng))
    last, averaged = (
        train_classification_rbm(
            rows, rows, columns, RBMSettings(n_hidden=5, epochs=4, batch_size=10, averaged_epochs=part), 0
        )[0]
        for part in (0.0, 0.9)
    )
    assert torch.equal(last.weight, averaged.weight)
