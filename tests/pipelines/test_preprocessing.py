"""What preprocessing refuses, it refuses before any training: the data say so, not the names of the nodes."""

import pytest

from layerwise.data import DataError, PreprocessingSettings, Problem, SplitSettings
from layerwise.pipeline_registry import create_pipeline
from layerwise.pipelines.preprocessing.nodes import (
    read_rows,
    split_labelled_rows,
    split_rows_beside_folds,
)

PRETRAIN = ["pretraining.pretrain_stack_dbn"]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"finetuning": {"batch_size": 4000}}, "finetuning.batch_size is 4000, but there are only 3600"),
        ({"pretraining": {"batch_size": 4000}}, "pretraining.batch_size is 4000, but there are only 3600"),
        ({"labelled_rows": 4000}, "labelled_rows is 4000, but there are only 3600"),
    ],
)
def test_what_fine_tuning_cannot_take_is_refused_before_pretraining(project, params, message):
    """The run has nothing but what pretraining waits for."""
    with pytest.raises(DataError, match=message):
        project.run("dbn", problem={"name": "refused"}, to_nodes=PRETRAIN, **params)
    assert not list((project.path / "data/06_models/refused/dbn").glob("stack*"))


@pytest.mark.parametrize("task", ["ratings", "documents"])
def test_rows_without_labels_are_refused_before_they_are_split(task):
    with pytest.raises(DataError, match=f"{task} have no labels to learn from; run --pipelines=rbm"):
        split_labelled_rows(None, Problem(name="unlabelled", task=task), SplitSettings(), 0)


@pytest.mark.parametrize("name", ["dbn", "sae", "mlp", "gan"])
def test_every_node_waits_for_the_split_that_refuses_rows_without_labels(name):
    pipeline = create_pipeline(name)
    refusing = (split_labelled_rows, split_rows_beside_folds)
    (split,) = (node for node in pipeline.nodes if node.func in refusing)
    later = set(pipeline.from_nodes(split.name).nodes)
    # Cells have to be read before rows can be split.
    assert [node.func for node in pipeline.nodes if node not in later] in ([], [read_rows])


@pytest.mark.parametrize("name", ["rbm", "autoencoder", "gan"])
def test_what_is_never_fine_tuned_does_not_read_how(name):
    assert "params:finetuning" not in create_pipeline(name).inputs()


def test_without_pretraining_its_batch_is_not_asked_for(project):
    stop = ["finetuning.initialize_network_dbn"]
    none = {"method": "none", "batch_size": 4000}
    project.run("dbn", problem={"name": "unpretrained"}, pretraining=none, to_nodes=stop)
    assert project.catalog(problem={"name": "unpretrained"}).load("dbn.data_spec").n_training == 3600


def test_a_run_of_very_many_cells_says_that_they_may_stay_in_files(monkeypatch, tables, caplog):
    problem, settings = Problem(name="x", task="binary", target="left"), PreprocessingSettings()
    with caplog.at_level("INFO"):
        read_rows(tables.table(100), problem, settings)
        assert "compute.out_of_core" not in caplog.text
        monkeypatch.setattr("layerwise.pipelines.preprocessing.nodes.MANY_CELLS", 1000)
        read_rows(tables.table(100), problem, settings)
    assert "100 rows of 11 columns are read into memory; with compute.out_of_core: true" in caplog.text
