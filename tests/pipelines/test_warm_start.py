"""A network goes on from a registered one on other rows: its shape, its preprocessing, and what is said of it."""

import numpy as np
import pandas as pd
import pytest
import torch

from layerwise.data import DataError
from layerwise.inference import load_trained_model
from layerwise.models import load_network
from layerwise.parameters import ParameterError
from layerwise.training import TrainingError

STILL = {"epochs": 1, "learning_rate": 1e-12, "batch_size": 50, "weight_decay": 0.0, "optimizer": "adam"}


def month(seed, n=300, shift=0.0):
    """Rows of customers: who buys follows from age and country."""
    rng = np.random.default_rng(seed)
    age, country = rng.normal(40 + shift, 10, n).round(2), rng.choice(["France", "Spain"], n)
    bought = (age > 40) ^ (country == "Spain")
    return pd.DataFrame({"age": age, "country": country, "bought": bought.astype(int)})


@pytest.fixture(scope="module")
def monthly(project):
    """A problem `monthly`, whose file each test writes, after a network of its first month was registered."""
    folder = project.path / "conf/monthly"
    folder.mkdir(exist_ok=True)
    (folder / "catalog.yml").write_text(
        "raw:\n  type: layerwise.datasets.SourceTable\n  path: data/01_raw\n  file:\n    name: monthly.csv\n"
    )
    (folder / "parameters.yml").write_text(
        "problem:\n  name: monthly\n  task: binary\n  target: bought\nevaluation:\n  baselines: false\n"
        "  bootstrap: 0\nfinetuning:\n  epochs: 8\n  batch_size: 30\n"
    )

    def run(table, pipeline="mlp", **params):
        table.to_csv(project.path / "data/01_raw/monthly.csv", index=False)
        return project.run(pipeline, env="monthly", **params)

    run(month(0))
    return project, run


def network(project, name="monthly", pipeline="mlp"):
    return load_network(project.path / "data/06_models" / name / pipeline / "network")


def test_the_champion_goes_on_with_its_shape_weights_and_preprocessing(monthly):
    project, run = monthly
    first = network(project)
    before = project.json("06_models/monthly/mlp/model/model.json")
    scaler = project.json("06_models/monthly/mlp/model/preprocessor/preprocessor.json")["scaler"]
    run(month(1, 200, shift=5), finetuning={**STILL, "init_from": "monthly@champion"})
    second = network(project)
    assert second.config.hidden_sizes == first.config.hidden_sizes == (40, 30)
    for name, values in first.state_dict().items():
        torch.testing.assert_close(second.state_dict()[name], values, rtol=0, atol=1e-6)
    after = project.json("06_models/monthly/mlp/model/preprocessor/preprocessor.json")
    assert after["scaler"] == scaler
    run_id, status = project.last_run()
    tags = dict(project.query("select key, value from tags where run_uuid = ?", run_id))
    assert status == "FINISHED"
    assert tags["init_from.model"] == "monthly"
    assert tags["init_from.run"] == before["run_id"]
    assert after["data_spec"]["n_training"] == 144
    # What the first network learnt from, this one has learnt from too.
    model = load_trained_model(project.path / "data/06_models/monthly/mlp/model")
    assert len(model.seen_rows) == 216 + 24 + 144 + 16


def test_test_rows_that_it_has_learnt_from_are_counted_on_the_card(monthly):
    project, run = monthly
    run(month(0), finetuning={**STILL, "init_from": "monthly/1"}, seed=1)
    card = (project.path / "data/08_reporting/monthly/mlp/model_card.md").read_text()
    assert "of the 60 test rows: their figures flatter" in card


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        (
            {"mlp": {"hidden_sizes": [13]}},
            TrainingError,
            r"monthly has hidden_sizes \(40, 30\), .* say \(13,\)",
        ),
        ({"mlp": {"activation": "tanh"}}, TrainingError, "has activation relu, .* say tanh"),
        ({"preprocessing": {"scaling": "minmax"}}, DataError, "preprocessing.scaling is standard, .* minmax"),
        (
            {"problem": {"target": "age", "task": "regression"}},
            DataError,
            "problem.task is binary, .* regression",
        ),
        ({"seeds": 2}, ParameterError, "leave seeds or grid out"),
        ({"refit": True, "split": {"folds": 3}}, ParameterError, "leave refit and split.folds out"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(monthly, given, error, message):
    _, run = monthly
    with pytest.raises(error, match=message):
        run(month(1), finetuning={**STILL, "init_from": "monthly/1"}, **given)


def test_a_network_that_predicts_nothing_is_refused(finished):
    with pytest.raises(TrainingError, match=r"digits\.dbn is a DBN, and fine-tuning starts from a network"):
        finished.run(
            "mlp",
            problem={"name": "refused"},
            finetuning={"init_from": "digits.dbn@champion"},
            to_nodes=["finetuning.initialize_network_mlp"],
        )
