import getpass
import hashlib
import json

import mlflow
import pytest

from layerwise.tracking import find_model


def uri(project):
    return f"sqlite:///{project.path}/mlflow.db"


def tags(project, run_id):
    return dict(project.query("select key, value from tags where run_uuid=?", run_id))


def metrics(project, run_id):
    return dict(project.query("select key, value from latest_metrics where run_uuid=?", run_id))


@pytest.fixture(scope="module")
def tracked(project):
    """The id of a finished run."""
    project.run("mlp", problem={"name": "saved"})
    return project.last_run()[0]


def test_a_run_says_who_ran_what_of_which_code(project, tracked):
    found = tags(project, tracked)
    assert found["mlflow.user"] == getpass.getuser()
    assert found["mlflow.source.name"] == "kedro run --pipelines=mlp"
    assert found["mlflow.source.type"] == "LOCAL"


def test_the_description_says_what_the_run_is_how_good_and_beside_what(project, tracked):
    what, good, beside = tags(project, tracked)["mlflow.note.content"].split("\n\n")
    error = metrics(project, tracked)["test/error"]
    assert what.startswith("Multilayer perceptron")
    assert "on saved: 3600 training, 400 validation, 1000 test rows, seed 0." in what
    assert f"error {error:.4g}, roc_auc" in good
    assert "error: the best constant prediction 0.9" in beside


def test_the_three_parts_of_the_rows_are_data_sets_of_the_run(project, tracked):
    inputs = mlflow.MlflowClient(uri(project)).get_run(tracked).inputs.dataset_inputs
    found = {each.tags[0].value: each.dataset for each in inputs}
    assert {part: json.loads(d.profile)["num_rows"] for part, d in found.items()} == {
        "training": 3600,
        "validation": 400,
        "testing": 1000,
    }
    assert {d.name for d in found.values()} == {"saved"}
    assert len({d.digest for d in found.values()}) == 3
    assert json.loads(found["training"].source)["sha256"] == tags(project, tracked)["data.sha256"]


def test_the_model_has_the_test_metrics_of_the_test_rows(project, tracked):
    client = mlflow.MlflowClient(uri(project))
    run = client.get_run(tracked)
    (output,) = run.outputs.model_outputs
    model = client.get_logged_model(output.model_id)
    (test,) = [d.dataset for d in run.inputs.dataset_inputs if d.tags[0].value == "testing"]
    measured = {m.key: m.value for m in model.metrics}
    assert measured["test/error"] == run.data.metrics["test/error"]
    assert all(key.startswith("test/") for key in measured)
    assert {(m.dataset_name, m.dataset_digest) for m in model.metrics} == {("saved", test.digest)}
    assert model.status == "READY"
    assert model.params == run.data.params
    for name in ("mlflow.user", "mlflow.source.name", "mlflow.note.content"):
        assert model.tags[name] == run.data.tags[name]


def test_the_model_card_shows_the_parameters_that_the_pipeline_reads(project, tracked):
    card = (project.path / "data/08_reporting/saved/mlp/model_card.md").read_text()
    shown = {
        line.split("`")[1].partition(".")[0]
        for line in card.split("## Parameters")[1].splitlines()
        if "`" in line
    }
    logged = {
        name.partition(".")[0]
        for (name,) in project.query("select key from params where run_uuid=?", tracked)
    }
    # Where it was computed is the run's affair.
    assert shown == logged - {"compute"}
    assert {"mlp", "finetuning", "seed"} <= shown
    assert not {"gan", "rbm", "dbn", "pretraining"} & shown


def test_nothing_is_stored_twice(project, tracked):
    client = mlflow.MlflowClient(uri(project))
    (output,) = client.get_run(tracked).outputs.model_outputs
    run_files = [p for p in (project.path / "mlruns" / tracked).rglob("*") if p.is_file()]
    model_files = [p for p in (project.path / "mlruns/models" / output.model_id).rglob("*") if p.is_file()]
    hashes = [
        hashlib.sha256(p.read_bytes()).hexdigest() for p in run_files + model_files if p.stat().st_size > 10
    ]
    assert len(hashes) > 20
    assert len(set(hashes)) == len(hashes)


def test_an_unsupervised_network_is_a_model_with_its_metrics_and_files(project):
    project.run("rbm", problem={"name": "tracked_rbm"}, rbm={"epochs": 1})
    run_id, status = project.last_run()
    client = mlflow.MlflowClient(uri(project))
    (output,) = client.get_run(run_id).outputs.model_outputs
    model = client.get_logged_model(output.model_id)
    assert (status, model.name, model.model_type, model.status) == ("FINISHED", "rbm", "rbm", "READY")
    assert "test/log_prob" in {m.key for m in model.metrics}
    folder = project.path / "mlruns/models" / model.model_id / "artifacts"
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*.*")}
    names = ("model.json", "network.safetensors", "network.json", "preprocessor/preprocessor.json")
    assert {f"data/model/{name}" for name in names} <= files
    assert find_model(run_id, uri(project)).manifest.registered_name == "tracked_rbm.rbm"


def test_the_model_of_a_run_that_fails_in_its_evaluation_is_marked_as_failed(project, monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("out of order")

    monkeypatch.setattr("layerwise.pipelines.evaluation.nodes.compute_metrics", fail)
    with pytest.raises(RuntimeError, match="out of order"):
        project.run("mlp", problem={"name": "failing"})
    run_id, status = project.last_run()
    (output,) = mlflow.MlflowClient(uri(project)).get_run(run_id).outputs.model_outputs
    model = mlflow.MlflowClient(uri(project)).get_logged_model(output.model_id)
    assert (status, model.status) == ("FAILED", "FAILED")


def test_the_description_names_the_best_earlier_run(project, tracked):
    error = metrics(project, tracked)["test/error"]
    project.run("mlp", problem={"name": "saved"}, finetuning={"epochs": 1})
    note = tags(project, project.last_run()[0])["mlflow.note.content"]
    assert f"the best earlier run of this problem and pipeline {error:.4g}" in note
