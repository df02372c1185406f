"""Runs whose artifacts have no place at their end: the run is finished, and the next command stores the rest."""

import errno

import mlflow
import pytest
from mlflow import MlflowClient


@pytest.fixture(scope="module", autouse=True)
def a_session_was_there(project):
    """Kedro's first one sets up logging, and would take away what listens to a test's messages."""
    project.catalog()


FAST = {"env": "forest_fires", "problem": {"name": "kept_model"}}


def test_a_run_whose_artifacts_are_read_only_is_finished_and_the_next_command_registers_its_model(
    project, monkeypatch, caplog
):
    def refuse(*_, **__):
        raise OSError(errno.EROFS, "Read-only file system")

    with monkeypatch.context() as patch:
        for name in ("log_artifact", "log_artifacts", "log_model_artifacts"):
            patch.setattr(MlflowClient, name, refuse)
        project.run("mlp", **FAST)
    run_id, status = project.last_run()
    client = MlflowClient(f"sqlite:///{project.path}/mlflow.db")
    tags = client.get_run(run_id).data.tags
    assert status == "FINISHED"
    assert tags["outbox"].startswith("the model and its outputs: kept where the run was")
    assert "it may not be written: give yourself the right (" in caplog.text
    assert "gone" not in caplog.text
    assert client.get_metric_history(run_id, "train/loss")
    assert not client.search_model_versions("name='kept_model'")
    # Whichever command of the project comes next, be it of another problem and pipeline.
    project.run("dbn", problem={"name": "next"}, to_nodes=["preprocessing.split_rows_dbn"])
    (version,) = client.search_model_versions("name='kept_model'")
    assert version.run_id == run_id
    assert client.get_model_version_by_alias("kept_model", "champion").version == version.version
    names = {file.path for file in client.list_artifacts(run_id)}
    assert {"figures", "outputs", "model_card.md", "report.html"} <= names
    assert "outbox" not in client.get_run(run_id).data.tags
    assert not list((project.path / "data/outbox").iterdir())
    mlflow.set_tracking_uri(f"sqlite:///{project.path}/mlflow.db")
    assert mlflow.pyfunc.load_model(f"runs:/{run_id}/model").metadata.get_input_schema()


def test_a_model_that_cannot_be_written_to_data_fails_the_run_with_a_sentence(project, monkeypatch):
    from layerwise.tracking import logged_models
    from layerwise.utils import FolderError

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(logged_models, "save_model_folder", full)
    with pytest.raises(FolderError, match=r"its disk is full: make room .*--params=resume=true goes on"):
        project.run("mlp", env="forest_fires", problem={"name": "roomless"})
    run_id, status = project.last_run()
    assert status == "FAILED"
    client = MlflowClient(f"sqlite:///{project.path}/mlflow.db")
    assert "No space left on device" in client.get_run(run_id).data.tags["error"]
