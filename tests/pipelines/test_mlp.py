import json

import numpy as np
import pytest
import torch
from PIL import Image

from layerwise.models import load_network
from layerwise.parameters import ParameterError
from layerwise.training import TrainingError

STOP = ["finetuning.train_network_mlp"]


def trained(project, name, env=None, to_nodes=STOP, **params):
    project.run("mlp", env=env, to_nodes=to_nodes, problem={"name": name}, **params)
    return load_network(project.path / "data/06_models" / name / "mlp/network")


def history(project, name):
    return project.json(f"07_model_output/{name}/mlp/finetuning_history.json")


def test_every_shape_setting_reaches_the_network(project):
    network = trained(
        project,
        "shaped",
        mlp={
            "hidden_sizes": [12, 8],
            "activation": ["relu", "tanh"],
            "normalization": "layer",
            "bias_initializer": "constant",
            "bias_constant": 0.1,
        },
        finetuning={"dropout": [0.1, 0.2], "input_dropout": 0.05, "dropconnect": 0.1, "epochs": 1},
    )
    assert [type(a).__name__ for a in network.activations] == ["ReLU", "Tanh"]
    assert [d.rate for d in network.dropouts] == [0.05, 0.1, 0.2]
    assert network.hidden[0].rate == 0.1
    assert float(network.hidden[0].bias.detach().mean()) == pytest.approx(0.1, abs=0.05)


def test_training_can_stop_by_steps_and_says_so(project):
    trained(project, "stopped", finetuning={"max_steps": 50, "epochs": 9, "batch_size": 100})
    found = history(project, "stopped")
    assert found["stopped"] == "50 steps done"
    assert len(found["epochs"]) == 2  # 36 steps an epoch


def test_a_batch_may_be_all_rows(project):
    trained(project, "all_rows", finetuning={"batch_size": "all", "epochs": 2})
    assert len(history(project, "all_rows")["epochs"]) == 2


def test_accuracy_can_choose_the_best_epoch(project):
    # At this rate the accuracy goes up and down, and its best epoch is not that of the loss.
    chosen = {"epochs": 6, "learning_rate": 0.03, "batch_size": 20, "schedule": "constant"}
    best = {}
    for monitor in ("accuracy", "loss"):
        name = f"by_{monitor}"
        network = trained(project, name, finetuning={"monitor": f"validation/{monitor}", **chosen})
        epochs = history(project, name)["epochs"]
        scores = [epoch[f"validation/{monitor}"] for epoch in epochs]
        best[monitor] = scores.index(max(scores) if monitor == "accuracy" else min(scores))
        rows = project.catalog(problem={"name": name}).load("mlp.validation")
        with torch.no_grad():
            right = network(rows.inputs).argmax(1).eq(rows.targets).float().mean()
        assert float(right) == pytest.approx(epochs[best[monitor]]["validation/accuracy"], abs=1e-6)
        for epoch in epochs:
            assert epoch["validation/accuracy"] == pytest.approx(1 - epoch["validation/error"])
    assert best["accuracy"] != best["loss"]


@pytest.mark.figures
def test_augmented_digits_are_plotted_and_change_what_is_learned(project):
    figure = ["reporting.plot_augmentation_mlp", *STOP]
    moved = {"augmentation": {"rotate": 10, "shift": 0.1, "noise": 0.1}, "epochs": 1}
    augmented = trained(project, "moved", to_nodes=figure, finetuning=moved)
    plain = trained(project, "unmoved", finetuning={"epochs": 1})
    assert not torch.equal(augmented.output.weight, plain.output.weight)
    with Image.open(project.path / "data/08_reporting/moved/mlp/augmentation.png") as figure:
        assert len(np.unique(np.asarray(figure.convert("L")))) > 50


@pytest.mark.parametrize("loss", ["absolute", "huber", "log_cosh"])
def test_a_regression_can_take_other_losses(project, loss):
    trained(project, f"fires_{loss}", env="forest_fires", finetuning={"loss": loss, "epochs": 2})
    assert len(history(project, f"fires_{loss}")["epochs"]) == 2


def test_poisson_learns_the_mean_of_counts_and_never_predicts_below_zero(project):
    project.run(
        "mlp",
        env="forest_fires",
        problem={"name": "counts", "target": "RH", "target_transform": "none"},
        preprocessing={"scale_target": False},
        finetuning={"loss": "poisson", "epochs": 60, "learning_rate": 0.01, "dropout": 0.0},
        mlp={"hidden_sizes": [8], "activation": "tanh", "initializer": "glorot_uniform"},
        evaluation={"baselines": False},
    )
    table = project.catalog(env="forest_fires", problem={"name": "counts"}).load("mlp.predictions")
    assert (table["predicted_RH"] > 0).all()
    metrics = project.json("08_reporting/counts/mlp/metrics.json")["network"]
    assert metrics["rmse"]["value"] < metrics["rmse"]["base_rate"]


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"finetuning": {"optimizer": "adagrad", "momentum": 0.9}}, "adagrad has no use for momentum"),
        ({"finetuning": {"loss": "huber", "label_smoothing": 0}}, "huber is no loss for a multiclass task"),
        ({"evaluation": {"threshold": "f1"}}, "evaluation.threshold is for a binary task"),
        ({"seeds": 2, "layer_statistics": True}, "layer_statistics is of one network"),
        ({"grid": {"l2": [0, 1]}, "layer_statistics": True}, "layer_statistics is of one network"),
        (
            {"mlp": {"hidden_sizes": [5, 5], "activation": ["relu"]}},
            r"activation has 1 value\(s\) for 2 hidden",
        ),
        ({"mlp": {"initializer": "glorot"}}, "glorot_uniform"),
        ({"finetuning": {"batch_size": 0}}, "finetuning.batch_size"),
        ({"finetuning": {"augmentation": {"rotat": 5}}}, "did you mean 'rotate'"),
    ],
)
def test_settings_that_do_not_fit_are_one_message_before_anything_runs(project, params, words):
    with pytest.raises(ParameterError, match=words):
        project.run("mlp", **params)


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"finetuning": {"augmentation": {"rotate": 5}}}, "this problem is a table"),
        ({"finetuning": {"class_weights": "balanced"}}, "task is regression"),
        ({"finetuning": {"loss": "poisson"}}, "scale_target: false"),
        ({"finetuning": {"monitor": "validation/accuracy"}}, "has no validation/accuracy"),
    ],
)
def test_settings_that_do_not_fit_a_table_are_refused_too(project, params, words):
    with pytest.raises(ParameterError, match=words):
        project.run("mlp", env="forest_fires", **params)


def test_a_list_of_dropout_rates_has_one_for_each_hidden_layer(project):
    with pytest.raises(TrainingError, match=r"finetuning\.dropout has 1 value\(s\) for 2 hidden"):
        trained(project, "rates", finetuning={"dropout": [0.1]})


def test_the_settings_that_a_run_used_are_tracked_by_name(project):
    trained(project, "tracked", finetuning={"l2": 0.5, "epochs": 1})
    run, _ = project.last_run()
    params = dict(project.query("select key, value from params where run_uuid = ?", run))
    assert params["finetuning.l2"] == "0.5"
    assert params["finetuning.augmentation.rotate"] == "0.0"
    assert json.loads(params["mlp.hidden_sizes"]) == [40, 30]


def test_a_network_that_loses_to_its_baselines_says_so(project):
    project.run("mlp", env="forest_fires_size", problem={"name": "loser"}, finetuning={"epochs": 1})
    metrics = project.json("08_reporting/loser/mlp/metrics.json")
    card = (project.path / "data/08_reporting/loser/mlp/model_card.md").read_text()
    assert set(metrics["baselines"]) == {"logistic regression", "random forest", "gradient boosting"}
    assert metrics["conclusions"]
    assert all(f"**{sentence}**" in card for sentence in metrics["conclusions"])
    # Notes of the data: the column that is the label, and the rows that stand in both parts.
    assert "Column 'area' alone decides the target" in card
    assert "test rows repeat a training row's inputs." in card


def test_the_importance_of_each_column_is_the_loss_of_the_test_metric_with_its_interval(project):
    project.run("mlp", env="forest_fires", problem={"name": "columns"}, finetuning={"epochs": 2})
    importance = project.json("08_reporting/columns/mlp/importance.json")
    blocks = project.json("04_feature/columns/mlp/data_spec.json")["blocks"]
    assert {each["name"] for each in importance} == {block["name"] for block in blocks}
    means = [each["mean"] for each in importance]
    assert means == sorted(means, reverse=True)
    assert all(each["low"] < each["mean"] < each["high"] and each["metric"] == "rmse" for each in importance)
    card = (project.path / "data/08_reporting/columns/mlp/model_card.md").read_text()
    first = importance[0]
    assert f"| {first['name']} | {first['mean']:.4g} [{first['low']:.4g}, {first['high']:.4g}] |" in card


def test_a_leak_that_the_user_allows_is_written_on_the_card(project):
    with pytest.warns(UserWarning, match="'area'"):
        project.run("mlp", env="forest_fires_size", problem={"name": "leaky", "drop": [], "allow_leak": True})
    assert "LEAK: " in (project.path / "data/08_reporting/leaky/mlp/model_card.md").read_text()


@pytest.mark.parametrize("cost", [1.0, 8.0])
def test_a_threshold_by_cost_is_chosen_on_validation_rows(project, cost):
    name = f"cost_{cost:g}"
    project.run(
        "mlp",
        env="forest_fires_size",
        problem={"name": name},
        evaluation={"threshold": "cost", "false_negative_cost": cost, "baselines": False},
    )
    catalog = project.catalog(env="forest_fires_size", problem={"name": name})
    rows, network = catalog.load("mlp.validation"), catalog.load("mlp.network")
    with torch.no_grad():
        scores = network(rows.inputs).sigmoid()
    threshold = project.json(f"08_reporting/{name}/mlp/metrics.json")["threshold"]

    def total(cut):
        predicted, true = scores >= cut, rows.targets > 0.5
        return float((predicted & ~true).sum() + cost * (~predicted & true).sum())

    assert total(threshold) == min(total(cut) for cut in [*scores.flatten().tolist(), 1.1])


def test_many_seeds_give_mean_and_standard_deviation_and_the_first_is_the_run_alone(project):
    settings = {"finetuning": {"epochs": 3, "batch_size": 50}, "evaluation": {"baselines": False}}
    project.run("mlp", env="forest_fires_size", problem={"name": "many"}, seeds=4, **settings)
    project.run("mlp", env="forest_fires_size", problem={"name": "one"}, **settings)
    catalog = project.catalog(env="forest_fires_size", problem={"name": "many"})
    members, network = catalog.load("mlp.members"), catalog.load("mlp.network")
    alone = project.catalog(env="forest_fires_size", problem={"name": "one"}).load("mlp.network")
    for ours, theirs in zip(network.parameters(), alone.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)
    assert members.config.seeds == (0, 1, 2, 3)
    metrics = project.json("08_reporting/many/mlp/metrics.json")
    test = catalog.load("mlp.test")
    with torch.no_grad():
        predicted = members(test.inputs).sigmoid() >= 0.5
    each = (predicted == test.targets.bool()).double().mean((1, 2))
    assert metrics["members"]["accuracy"]["mean"] == pytest.approx(float(each.mean()))
    assert metrics["members"]["accuracy"]["std"] == pytest.approx(float(each.std()))
    assert (
        "4 networks of other seeds" in (project.path / "data/08_reporting/many/mlp/model_card.md").read_text()
    )


@pytest.mark.figures
def test_a_grid_is_chosen_from_by_the_validation_rows(project):
    settings = {"mlp": {"hidden_sizes": [8]}, "finetuning": {"epochs": 4, "monitor": "validation/loss"}}
    grid = {"learning_rate": [0.00001, 0.01], "l2": [0, 1]}
    project.run("mlp", env="forest_fires_size", problem={"name": "grid"}, seeds=2, grid=grid, **settings)
    history = project.json("07_model_output/grid/mlp/finetuning_history.json")
    means = [point["mean"] for point in history["grid"]]
    assert len(means) == 4
    assert means == sorted(means)
    assert [point["settings"]["learning_rate"] for point in history["grid"]] == [0.01, 0.01, 0.00001, 0.00001]
    assert [member["seed"] for member in history["members"]] == [0, 1]
    best = min(epoch["validation/loss"] for epoch in history["epochs"])
    assert abs(best - means[0]) <= 2 * history["grid"][0]["std"]
    project.run(
        "mlp",
        env="forest_fires_size",
        problem={"name": "alone"},
        seeds=2,
        **settings | {"finetuning": settings["finetuning"] | history["grid"][0]["settings"]},
    )
    catalogs = [
        project.catalog(env="forest_fires_size", problem={"name": name}) for name in ("grid", "alone")
    ]
    ours, theirs = (catalog.load("mlp.network") for catalog in catalogs)
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)
    assert (project.path / "data/08_reporting/grid/mlp/grid.png").stat().st_size > 5000
