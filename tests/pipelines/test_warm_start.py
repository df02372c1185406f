"""A network goes on from a registered one on other rows: its shape, its preprocessing, and what is said of it."""

import numpy as np
import pandas as pd
import pytest
import torch
from helpers.model_doors import tracking_uri

from layerwise.data import DataError, PreprocessingSettings, Split
from layerwise.estimators import NetworkClassifier
from layerwise.inference import load_trained_model
from layerwise.models import CalibratedNetwork, load_network
from layerwise.parameters import ParameterError
from layerwise.pipelines.finetuning.warm_start import initialize_from_model
from layerwise.pipelines.preprocessing.warm_start import adopt_preprocessor
from layerwise.tracking import find_model
from layerwise.training import TrainingError
from layerwise.training.supervised import FinetuningSettings

STILL = {"epochs": 1, "learning_rate": 1e-12, "batch_size": 50, "weight_decay": 0.0, "optimizer": "adam"}


def month(seed, n=300, shift=0.0):
    """Rows of customers: who buys follows from age and country."""
    rng = np.random.default_rng(seed)
    age, country = rng.normal(40 + shift, 10, n).round(4), rng.choice(["France", "Spain"], n)
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


def registered_version(project, name):
    found = find_model(name, tracking_uri(project))
    return load_trained_model(found.folder, found.sha256)


def network(project, name="monthly", pipeline="mlp"):
    return load_network(project.path / "data/06_models" / name / pipeline / "network")


def assert_same_weights(network, source):
    if isinstance(source, CalibratedNetwork):
        source = source.network
    for name, values in source.state_dict().items():
        torch.testing.assert_close(network.state_dict()[name], values, atol=1e-6, rtol=1e-5)


def test_the_champion_goes_on_in_its_shape(monthly):
    project, run = monthly
    first = network(project)
    run(month(1, 200, shift=5), finetuning={**STILL, "init_from": "monthly@champion"})
    assert project.last_run()[1] == "FINISHED"
    assert network(project).config.hidden_sizes == first.config.hidden_sizes == (40, 30)


@pytest.mark.parametrize("pipeline", ["dbn", "sae"])
def test_pipelines_that_pretrain_go_on_without_pretraining(monthly, pipeline):
    project, run = monthly
    found = run(
        month(0),
        pipeline,
        problem={"name": f"monthly_{pipeline}"},
        finetuning={**STILL, "init_from": "monthly/1"},
        to_nodes=[f"finetuning.finetune_network_{pipeline}"],
    )
    source = registered_version(project, "monthly/1").network
    assert_same_weights(network(project, f"monthly_{pipeline}", pipeline), source)
    assert not [name for name in found if "stack" in name]
    metrics = project.query("select key from metrics where run_uuid=?", project.last_run()[0])
    assert not [name for (name,) in metrics if name.startswith("pretraining/")]


def test_a_network_of_pictures_goes_on(finished):
    finished.run(
        "dbn",
        problem={"name": "digits_again"},
        finetuning={**STILL, "init_from": "digits/1"},
        seed=1,
        to_nodes=["finetuning.finetune_network_dbn"],
    )
    source = registered_version(finished, "digits/1").network
    assert_same_weights(network(finished, "digits_again", "dbn"), source)


def test_the_champion_is_compared_on_rows_that_neither_training_has_seen(monthly):
    project, run = monthly
    problem, splits = {"name": "compared"}, []
    for given in ({}, {"seed": 1, "finetuning": {**STILL, "init_from": "compared/1"}}):
        run(month(0, 1500), problem=problem, **given)
        splits.append(project.catalog(env="monthly", problem=problem).load("mlp.split"))
    first, second = splits
    seen = np.isin(second.test, np.concatenate([first.training, first.validation])).sum()
    query = "select value from tags where run_uuid=? and key='registered'"
    ((said,),) = project.query(query, project.last_run()[0])
    assert f"on {300 - seen} rows that neither has seen ({seen} that it has seen left out)" in said
    manifest = project.json("06_models/compared/mlp/model/model.json")
    assert manifest["initial_model"] == "compared"


def test_a_network_has_the_weights_of_its_source_and_its_rows_the_preprocessing():
    table = month(0)
    source = NetworkClassifier((6,), ensemble_members=1, epochs=1, random_state=0)
    model = source.fit(table[["age", "country"]], table["bought"]).model_
    network, initial = initialize_from_model({}, model, FinetuningSettings(dropout=0.3))
    assert network.config.dropout == 0.3
    assert initial.name == "estimator"
    for name, values in model.network.state_dict().items():
        assert torch.equal(network.state_dict()[name], values)
    split = Split(training=range(100), validation=range(100, 120), test=range(120, 150))
    other, settings = month(1, 150, shift=5), PreprocessingSettings()
    other.attrs["source"] = "/home/bob/february.csv"
    adopted = adopt_preprocessor(other, split, model.preprocessor.problem, settings, model)
    assert adopted.data_spec.n_training == 100
    assert adopted.state["data_spec"]["source"] == adopted.data_spec.source == "february.csv"
    assert model.preprocessor.data_spec.n_training == 270
    np.testing.assert_array_equal(adopted.inputs(other), model.preprocessor.inputs(other))


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
