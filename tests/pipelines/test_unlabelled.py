import numpy as np
import pandas as pd
import pytest
import torch
import yaml

from layerwise.data import DataError, TensorData
from layerwise.parameters import DBNSettings
from layerwise.pipelines.pretraining import nodes
from layerwise.training.rbm import PretrainingSettings

N, N_EMPTY, N_MORE = 300, 100, 50
PROBLEM = {"name": "people", "task": "binary", "target": "left"}


def people(seed=0, n=N):
    rng = np.random.default_rng(seed)
    score = rng.normal(size=n).round(3)
    return pd.DataFrame(
        {
            "age": rng.normal(40, 5, n).round(1),
            "score": score,
            "city": rng.choice(["rome", "oslo"], n),
            "left": np.where(score + rng.normal(size=n) > 0, "yes", "no"),
        }
    )


@pytest.fixture
def problem(fresh_project):
    """A project with a table of which a third has no label, and a file of more such rows."""
    frame = people()
    frame.loc[np.random.default_rng(1).choice(N, N_EMPTY, replace=False), "left"] = None
    raw = fresh_project.path / "data/01_raw"
    frame.to_csv(raw / "people.csv", index=False)
    more = people(seed=2, n=N_MORE).drop(columns="left").astype({"age": object})
    more.loc[4, "age"] = "old"
    more.to_csv(raw / "more.csv", index=False)
    folder = fresh_project.path / "conf/people"
    folder.mkdir()
    entry = {"type": "layerwise.datasets.SourceTable", "path": "data/01_raw", "file": {"name": "people.csv"}}
    (folder / "catalog.yml").write_text(yaml.safe_dump({"raw": entry}))
    (folder / "parameters.yml").write_text(yaml.safe_dump({"problem": PROBLEM}))
    return fresh_project


@pytest.mark.parametrize("more", [None, "more.csv", "data/01_raw/more.csv"])
def test_pretraining_sees_the_rows_without_labels_and_fine_tuning_does_not(problem, more):
    params = {"problem": {"unlabelled": more}, "labelled_rows": 40, "evaluation": {"baselines": False}}
    problem.run("dbn", env="people", to_nodes=["reporting.write_model_card_dbn"], **params)
    catalog = problem.catalog(env="people", **params)
    n_unlabelled = N_EMPTY + (N_MORE - 1 if more else 0)
    assert len(catalog.load("dbn.unlabelled")) == n_unlabelled
    assert len(catalog.load("dbn.labelled")) == 40
    sizes = [len(catalog.load(f"dbn.{part}")) for part in ("training", "validation", "test")]
    assert sizes == [144, 16, 40]
    assert catalog.load("dbn.data_spec").n_unlabelled == n_unlabelled
    run, _ = problem.last_run()
    metrics = dict(problem.query("select key, value from latest_metrics where run_uuid=?", run))
    assert metrics["unlabelled/rows"] == n_unlabelled
    assert metrics["unlabelled/refused"] == (1 if more else 0)
    card = catalog.load("dbn.model_card")
    assert f"{n_unlabelled} rows without a label were pretrained on" in card
    assert f"{N_EMPTY} rows have no label: they are in no figure." in card


def test_the_stack_is_that_of_all_rows_together():
    rng = torch.Generator().manual_seed(0)
    rows = TensorData((torch.rand(60, 8, generator=rng) > 0.5).float())
    from layerwise.data import ColumnBlock, DataSpec

    spec = DataSpec(
        task="binary",
        n_inputs=8,
        n_outputs=1,
        feature_names=tuple("abcdefgh"),
        blocks=tuple(
            ColumnBlock(name=name, kind="binary", start=k, stop=k + 1) for k, name in enumerate("abcdefgh")
        ),
        target_names=("y",),
    )
    dbn, settings = DBNSettings(hidden_sizes=(6, 4)), PretrainingSettings(epochs=3, batch_size=10)

    def weights(training, unlabelled=None):
        stack, _ = nodes.pretrain_rbms(training, rows[:5], spec, dbn, settings, 0, unlabelled)
        return torch.cat([value.flatten() for value in stack.state_dict().values()])

    together = weights(rows)
    assert torch.equal(weights(rows[:40], rows[40:]), together)
    assert not torch.equal(weights(rows[:40]), together)


@pytest.mark.parametrize("pipeline", ["rbm", "autoencoder"])
def test_a_table_needs_no_target_where_no_label_is_read(problem, pipeline):
    params = {"problem": {"target": "", "drop": ["left"]}}
    problem.run(pipeline, env="people", **params)
    assert problem.last_run()[1] == "FINISHED"
    catalog = problem.catalog(env="people", **params)
    training = catalog.load(f"{pipeline}.training")
    assert training.targets is None
    assert len(training) == 216
    assert len(catalog.load(f"{pipeline}.unlabelled")) == 0


@pytest.mark.parametrize("pipeline", ["mlp", "dbn"])
def test_what_learns_from_labels_says_that_there_is_no_target(problem, pipeline):
    with pytest.raises(
        DataError, match=r"problem\.target names no column, and this pipeline learns from labels"
    ):
        problem.run(pipeline, env="people", problem={"target": "", "drop": ["left"]})


def test_a_file_that_is_not_there_is_named(problem):
    with pytest.raises(Exception, match=r"nowhere\.csv"):
        problem.run("dbn", env="people", problem={"unlabelled": "nowhere.csv"})


def test_every_fold_pretrains_on_the_rows_without_labels_and_measures_labelled_ones_alone(
    problem, monkeypatch
):
    pretrained = []
    fit = nodes.pretrain_new_dbn

    def counted(sizes, training, *more, **named):
        pretrained.append(len(training))
        return fit(sizes, training, *more, **named)

    monkeypatch.setattr(nodes, "pretrain_new_dbn", counted)
    params = {
        "problem": {"unlabelled": "more.csv"},
        "split": {"folds": 2},
        "evaluation": {"baselines": False},
    }
    problem.run("dbn", env="people", to_nodes=["evaluation.cross_validate_dbn"], **params)
    folds = problem.json("08_reporting/people/dbn/cross_validation.json")["folds"]
    assert [each["n_test"] for each in folds] == [100, 100]
    assert pretrained == [each["n_training"] + N_EMPTY + N_MORE - 1 for each in folds]
