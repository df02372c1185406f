"""A model is registered once, wherever its run is cut off, and in the end even if its store was away."""

import errno
from dataclasses import replace

import pytest
from mlflow import MlflowClient

from layerwise.inference import verify_model_folder
from layerwise.tracking import model_logging
from layerwise.tracking.logged_models import SavedModel
from layerwise.tracking.model_logging import Submission, submission_of, submit
from layerwise.tracking.outbox import keep_model, keep_outputs, outbox, send_outbox


class CutOffError(BaseException):
    """The end of the process, as the calls see it."""


class Client:
    """Passes calls on to a client, and fails at the n-th one."""

    def __init__(self, client, n, error=CutOffError):
        self.client, self.left, self.error = client, n, error

    def __getattr__(self, name):
        found = getattr(self.client, name)
        return found if not callable(found) else lambda *args, **kwargs: self._call(found, args, kwargs)

    def _call(self, call, args, kwargs):
        if self.left == 0:
            raise self.error
        self.left -= 1
        return call(*args, **kwargs)


@pytest.fixture(scope="module")
def client(finished):
    return MlflowClient(f"sqlite:///{finished.path}/mlflow.db")


@pytest.fixture(scope="module")
def submission(finished) -> Submission:
    """The shared project's finished model."""
    folder = finished.path / "data/06_models/digits/dbn/model"
    saved = SavedModel("dbn.network", folder, *verify_model_folder(folder))
    return submission_of(finished.catalog(), saved, "mlp", "model")


@pytest.fixture(autouse=True)
def few_files(monkeypatch):
    """What is uploaded of a model is MLflow's own file alone."""

    def write(target, *_):
        target.mkdir()
        (target / "MLmodel").write_text("flavors: {}")

    monkeypatch.setattr(model_logging, "write_mlflow_model", write)


def of_a_new_run(client, submission, name):
    """The submission as that of another run, registered under another name."""
    experiment = client.get_experiment_by_name("digits").experiment_id
    run_id = client.create_run(experiment).info.run_id
    manifest = submission.saved.manifest.model_copy(update={"run_id": run_id, "name": name})
    return replace(submission, saved=replace(submission.saved, manifest=manifest))


def assert_registered_once(client, submission):
    manifest = submission.saved.manifest
    (version,) = client.search_model_versions(f"name='{manifest.name}'")
    run = client.get_run(manifest.run_id)
    models = client.search_logged_models([run.info.experiment_id], f"source_run_id = '{manifest.run_id}'")
    assert [(str(model.status), model.tags["model.sha256"]) for model in models] == [
        ("READY", submission.saved.sha256)
    ]
    assert [each.model_id for each in run.outputs.model_outputs] == [models[0].model_id]
    assert version.run_id == manifest.run_id
    assert version.source == f"models:/{models[0].model_id}"
    assert client.get_model_version_by_alias(manifest.name, "champion").version == version.version
    assert f"Registered as {manifest.name} version 1." in run.data.tags["registered"]


def test_a_run_that_is_cut_off_at_any_call_registers_its_model_once_when_it_goes_on(client, submission):
    n, cut_off = 0, True
    while cut_off:
        own = of_a_new_run(client, submission, f"cut_off_{n}")
        try:
            submit(Client(client, n), own)
            cut_off = False
        except CutOffError:
            submit(client, own)
        assert_registered_once(client, own)
        n += 1
    # Create, upload, tag, finalize, register, tag, alias, say so.
    assert n > 10


def test_a_model_that_is_registered_again_is_no_second_version_and_stays_the_champion(client, submission):
    own = of_a_new_run(client, submission, "twice")
    first = submit(client, own)
    assert submit(client, own) == first
    assert_registered_once(client, own)


def test_a_model_that_its_store_did_not_take_is_registered_by_the_next_command(
    client, submission, tmp_path, caplog
):
    own = of_a_new_run(client, submission, "kept_while_full")
    run_id, root = own.saved.manifest.run_id, outbox(tmp_path)
    # What is kept is a copy whose files are checked, with the manifest of its own run.
    folder = tmp_path / "model"
    folder.mkdir()
    for path in submission.saved.folder.rglob("*"):
        target = folder / path.relative_to(submission.saved.folder)
        target.mkdir() if path.is_dir() else target.write_bytes(path.read_bytes())
    (folder / "model.json").write_text(own.saved.manifest.model_dump_json())
    own = replace(own, saved=SavedModel("dbn.network", folder, *verify_model_folder(folder)))
    keep_model(root / run_id, "sqlite:///here", own)
    keep_outputs(root / run_id, "sqlite:///here", lambda into: (into / "a").touch())
    client.set_tag(run_id, "outbox", "the model and its outputs")
    send_outbox(client, "sqlite:///elsewhere", root)
    send_outbox(Client(client, 3, OSError(errno.ENOSPC, "No space left on device")), "sqlite:///here", root)
    assert f"What run {run_id} kept in {root / run_id} could not be stored: its disk is full" in caplog.text
    assert not client.search_model_versions("name='kept_while_full'")
    send_outbox(client, "sqlite:///here", root)
    assert_registered_once(client, own)
    assert [file.path for file in client.list_artifacts(run_id, "outputs")] == ["outputs/a"]
    assert "outbox" not in client.get_run(run_id).data.tags
    assert not list(root.iterdir())
