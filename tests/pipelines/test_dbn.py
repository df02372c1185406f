import json

import numpy as np
import pytest
import torch
from PIL import Image

from layerwise.evaluation.likelihood import bound_log_probability
from layerwise.models import load_network
from layerwise.parameters.networks import BoundSettings

FIGURES = (
    "calibration",
    "latent_map",
    "features",
    "learning_curves",
    "predictions",
    "ranking_curves",
    "reconstructions",
    "samples",
)


def weights(project, problem="digits", pipeline="dbn", name="network"):
    return load_network(project.path / "data/06_models" / problem / pipeline / name).state_dict()


def test_a_run_leaves_a_network_that_beats_its_base_rate(finished):
    metrics = finished.json("08_reporting/digits/dbn/metrics.json")["network"]
    assert metrics["error"]["value"] < 0.5
    assert metrics["error"]["base_rate"] == pytest.approx(0.9)
    assert metrics["error"]["low"] < metrics["error"]["value"] < metrics["error"]["high"]


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_is_plotted(finished, name):
    with Image.open(finished.path / f"data/08_reporting/digits/dbn/{name}.png") as figure:
        assert min(figure.size) > 200
        assert len(np.unique(np.asarray(figure.convert("L")))) > 10


def test_the_predictions_are_those_of_the_saved_network(finished):
    catalog = finished.catalog()
    table, test = catalog.load("dbn.predictions"), catalog.load("dbn.test")
    network = catalog.load("dbn.network")
    with torch.no_grad():
        expected = network(test.inputs).softmax(1).numpy()
    assert len(table) == 1000
    np.testing.assert_array_equal(table["true"], test.targets)
    np.testing.assert_array_equal(table["predicted"], expected.argmax(1))
    np.testing.assert_allclose(table.filter(like="probability_"), expected, rtol=1e-4, atol=1e-6)
    error = finished.json("08_reporting/digits/dbn/metrics.json")["network"]["error"]["value"]
    assert error == pytest.approx((table["true"] != table["predicted"]).mean())


def test_samples_of_a_class_are_named_by_the_network(finished):
    (found,) = finished.catalog().load("dbn.metrics_class_samples")
    assert found.name == "class_samples/accuracy"
    assert 0 <= found.value <= 1
    assert found.value * 500 == pytest.approx(round(found.value * 500))  # of 50 samples of each class
    assert finished.query("select value from metrics where key = 'class_samples/accuracy'") == [
        (found.value,)
    ]


def test_the_bound_on_the_log_probability_of_test_rows_is_tracked_and_that_of_the_saved_stack(finished):
    catalog = finished.catalog()
    found = {row.name: row.value for row in catalog.load("dbn.metrics_bound")}
    assert found["test/log_prob_bound_high"] >= found["test/log_prob_bound"]
    tracked = finished.query("select distinct key from metrics where key = 'test/log_prob_bound'")
    assert len(tracked) == 1
    rows = [torch.bernoulli(catalog.load(f"dbn.{part}").inputs) for part in ("training", "test")]
    rng, settings = torch.Generator().manual_seed(5), BoundSettings(temperatures=2000)
    again = bound_log_probability(catalog.load("dbn.stack"), *rows, settings, rng).bound
    # Other random numbers of pixels and chains.
    assert again.high == pytest.approx(found["test/log_prob_bound_high"], abs=3)


def test_no_row_is_in_two_parts(finished):
    split = finished.json("04_feature/digits/dbn/split.json")
    parts = [set(split[name]) for name in ("training", "validation", "test")]
    assert [len(part) for part in parts] == [3600, 400, 1000]
    assert len(set.union(*parts)) == 5000


def test_reconstructions_are_kept_at_four_stages_with_a_falling_cross_entropy(finished):
    history = finished.json("07_model_output/digits/dbn/pretraining_history.json")
    losses = [stage["loss"] for stage in history["reconstruction_history"]]
    assert [stage["epoch"] for stage in history["reconstruction_history"]] == [0, 1, 2]
    assert losses[0] > losses[-1]
    assert len(history["row"]) == 784


def test_the_same_seed_gives_the_same_bits_and_another_seed_others(finished):
    first = weights(finished), weights(finished, name="stack")
    metrics = finished.json("08_reporting/digits/dbn/metrics.json")
    finished.run("dbn")
    again = weights(finished), weights(finished, name="stack")
    for one, two in zip(first, again, strict=True):
        assert all(torch.equal(one[name], two[name]) for name in one)
    assert finished.json("08_reporting/digits/dbn/metrics.json") == metrics
    finished.run("dbn", seed=1, problem={"name": "seed_1"}, to_nodes=["pretraining.pretrain_stack_dbn"])
    other = weights(finished, "seed_1", name="stack")
    assert not torch.equal(other["rbms.0.weight"], first[1]["rbms.0.weight"])


def test_without_pretraining_the_same_net_starts_at_random(project):
    project.run("dbn", pretraining={"method": "none"}, problem={"name": "random_start"})
    written = {path.stem for path in (project.path / "data").rglob("random_start/dbn/*")}
    assert {"network", "metrics", "features"} <= written
    assert written.isdisjoint({"stack", "pretraining_history", "metrics_stack", "reconstructions", "samples"})
    shape = project.json("06_models/random_start/dbn/network/network.json")
    assert shape["hidden_sizes"] == [40, 30]
    assert shape["activation"] == "sigmoid"


def test_freezing_trains_the_head_alone(project):
    project.run(
        "dbn",
        pretraining={"freeze": True},
        problem={"name": "frozen"},
        to_nodes=["finetuning.finetune_network_dbn"],
    )
    network, stack = weights(project, "frozen"), weights(project, "frozen", name="stack")
    assert torch.equal(network["hidden.0.weight"], stack["rbms.0.weight"].T)
    assert torch.equal(network["hidden.1.bias"], stack["rbms.1.hidden_bias"])


def test_few_labels_fine_tune_while_all_rows_pretrain(project):
    project.run(
        "dbn", labelled_rows=50, problem={"name": "few"}, to_nodes=["finetuning.finetune_network_dbn"]
    )
    catalog = project.catalog(problem={"name": "few"})
    assert len(catalog.load("dbn.labelled")) == 50
    assert len(catalog.load("dbn.training")) == 3600
    labels = catalog.load("dbn.labelled").targets
    assert torch.bincount(labels, minlength=10).tolist() == [5] * 10


def test_dynamic_binarization_keeps_gray_rows_and_trains_on_binary_ones(project):
    stop = ["pretraining.pretrain_stack_dbn"]
    for name in ("none", "dynamic"):
        project.run(
            "dbn", preprocessing={"binarize": name}, problem={"name": f"binarize_{name}"}, to_nodes=stop
        )
    gray, dynamic = (project.catalog(problem={"name": f"binarize_{name}"}) for name in ("none", "dynamic"))
    assert torch.equal(gray.load("dbn.training").inputs, dynamic.load("dbn.training").inputs)
    stacks = [
        weights(project, f"binarize_{name}", name="stack")["rbms.0.weight"] for name in ("none", "dynamic")
    ]
    assert not torch.equal(*stacks)


def test_a_run_can_start_from_any_node(finished):
    before = weights(finished)
    finished.run(
        "dbn", from_nodes=["finetuning.finetune_network_dbn"], to_nodes=["finetuning.finetune_network_dbn"]
    )
    assert all(torch.equal(before[name], value) for name, value in weights(finished).items())


@pytest.mark.parametrize(
    ("env", "figure"), [("forest_fires", "regression"), ("forest_fires_size", "classification")]
)
def test_a_table_goes_the_same_way_as_images(project, env, figure):
    project.run("dbn", env=env)
    metrics = project.json(f"08_reporting/{env}/dbn/metrics.json")["network"]
    card = (project.path / f"data/08_reporting/{env}/dbn/model_card.md").read_text()
    if figure == "regression":
        assert {"rmse", "mae", "r2", "raw_rmse"} <= set(metrics)
        # The base rate of the logarithm's error is its standard deviation among the test rows.
        assert metrics["rmse"]["value"] < 2 * metrics["rmse"]["base_rate"]
    else:
        assert {"accuracy", "roc_auc", "log_loss"} <= set(metrics)
    assert "What it should not be used for" in card
    columns = project.json(f"04_feature/{env}/dbn/data_spec.json")["feature_names"]
    assert "area" not in columns


def test_the_area_as_an_input_of_its_own_category_is_refused(project):
    with pytest.raises(ValueError, match=r"'area'.*problem\.drop"):
        project.run("dbn", env="forest_fires_size", problem={"drop": []})


def test_two_problems_and_two_pipelines_leave_each_other_alone(finished):
    before = {
        path: path.read_bytes()
        for path in (finished.path / "data/06_models/digits/dbn").rglob("*.safetensors")
    }
    finished.run("mlp")
    finished.run("mlp", env="forest_fires", problem={"name": "other"})
    assert before
    assert all(path.read_bytes() == content for path, content in before.items())
    assert json.loads((finished.path / "data/06_models/other/mlp/network/network.json").read_text())
