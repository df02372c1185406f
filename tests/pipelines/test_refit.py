import numpy as np
import pandas as pd
import pytest
import torch

from layerwise.inference import load_trained_model
from layerwise.models import load_network
from layerwise.parameters import ParameterError

# With `min_delta` the epoch whose weights are kept is not the one of the lowest loss.
QUICK = {"finetuning": {"epochs": 6, "min_delta": 0.02}, "evaluation": {"bootstrap": 20}}


@pytest.fixture(scope="module")
def refitted(project):
    project.run("mlp", env="forest_fires", problem={"name": "refitted"}, refit=True, **QUICK)
    return project


def network(project, name, entry="network", pipeline="mlp"):
    return load_network(project.path / f"data/06_models/{name}/{pipeline}/{entry}")


def test_the_model_is_the_network_of_all_rows_and_the_metrics_are_of_the_one_before(refitted):
    refitted.run("mlp", env="forest_fires", problem={"name": "measured"}, **QUICK)
    first, second = (
        refitted.json(f"08_reporting/{name}/mlp/network_metrics.json") for name in ("refitted", "measured")
    )
    assert first == second
    model = load_trained_model(refitted.path / "data/06_models/refitted/mlp/model")
    refit = network(refitted, "refitted", "refit_network")
    for own, expected in zip(model.network.parameters(), refit.parameters(), strict=True):
        assert torch.equal(own, expected)
    assert not torch.equal(model.network.output.weight, network(refitted, "refitted").output.weight)
    assert model.columns.n_training == 517
    assert model.manifest.metrics["rmse"]["value"] == pytest.approx(first["rmse"]["value"])


def test_the_network_learns_for_as_many_epochs_as_the_one_that_was_measured_had(refitted):
    history = refitted.json("07_model_output/refitted/mlp/finetuning_history.json")
    losses = [each["validation/loss"] for each in history["epochs"]]
    assert 1 <= history["best_epoch"] < 1 + int(np.argmin(losses))
    metrics = refitted.query(
        "select distinct step from metrics m join runs r using (run_uuid) join experiments e using (experiment_id) "
        "where e.name='refitted' and key='refit/train/loss' order by step"
    )
    assert [step for (step,) in metrics] == list(range(1, 1 + history["best_epoch"]))


def test_every_row_counts_as_seen(refitted):
    model = load_trained_model(refitted.path / "data/06_models/refitted/mlp/model")
    raw = pd.read_csv(refitted.path / "data/01_raw/forest_fires/forestfires_uci.csv")
    from layerwise.inference import hash_rows

    assert np.isin(hash_rows(model.preprocessor.inputs(raw)), model.seen_rows).all()


def test_the_card_says_that_the_results_are_of_the_network_before(refitted):
    text = (refitted.path / "data/08_reporting/refitted/mlp/model_card.md").read_text()
    assert "trained anew on all rows" in text


def test_a_calibration_is_kept(project):
    project.run(
        "dbn",
        env="forest_fires_size",
        problem={"name": "kept"},
        refit=True,
        finetuning={"epochs": 4},
        evaluation={"bootstrap": 20, "calibration": "temperature"},
    )
    refit, before = (network(project, "kept", entry, "dbn") for entry in ("refit_network", "network"))
    assert torch.equal(refit.temperature, before.temperature)
    assert not torch.equal(refit.network.output.weight, before.network.output.weight)


def test_several_networks_are_not_refitted(project):
    with pytest.raises(ParameterError, match="refit trains one network again"):
        project.run("mlp", env="forest_fires", refit=True, seeds=2)


def test_a_network_that_has_seen_all_rows_is_not_compared_with_the_champion(refitted, caplog):
    caplog.set_level("INFO")
    refitted.run("mlp", env="forest_fires", problem={"name": "refitted"}, refit=True, **QUICK)
    assert "this one was trained anew on all rows" in caplog.text
    caplog.clear()
    # Nor is one that has not seen them better than a champion that has.
    refitted.run("mlp", env="forest_fires", problem={"name": "refitted"}, **QUICK)
    assert "only 0 of 104 test rows can be compared" in caplog.text
