"""What a run writes names no password, and what it publishes no folder of this machine."""

import getpass
from pathlib import Path

import pytest
from kedro.runner import SequentialRunner

from layerwise.tracking import hook, runs

ADDRESS = "http://bob:hunter2seven@127.0.0.1:1"
SECRETS = ("hunter2seven", "wJalrXUtnFEMI", "sword:fish9")


def files_with(folder, texts):
    """Return the files below a folder that hold one of the texts."""
    content = {
        path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and not path.is_symlink()
    }
    return sorted({path for path in content for text in texts if text.encode() in content[path]})


@pytest.fixture
def project_with_secrets(project, monkeypatch):
    """A project tracked at an address with a password, whose client writes to a file."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", ADDRESS)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRETS[1])
    monkeypatch.setenv("OPTUNA_STORAGE", "mysql://eve:sword%3Afish9@db/optuna")
    monkeypatch.setattr(
        hook, "open_run", lambda uri, *rest: runs.open_run(f"sqlite:///{project.path}/mlflow.db", *rest)
    )
    return project


def test_a_failing_run_writes_and_says_no_secret(project_with_secrets, monkeypatch, capfd, caplog):
    project = project_with_secrets

    def fail(*_, **__):
        # A traceback quotes this line as it stands here.
        raise OSError(f"s3 refused {SECRETS[1]} of {ADDRESS} and {SECRETS[2]}")

    monkeypatch.setattr("layerwise.pipelines.evaluation.nodes.make_model_card", fail)
    with pytest.raises(OSError, match="s3 refused") as raised:
        project.run(
            "mlp",
            env="forest_fires_size",
            runner=SequentialRunner(),
            problem={"name": "secretive"},
            evaluation={"baselines": False},
        )
    # Kedro-Viz follows a run by one process, and writes what its error says into a file.
    assert '"on_node_error"' in (project.path / ".viz/kedro_pipeline_events.json").read_text()
    assert str(raised.value) == "s3 refused *** of http://bob:***@127.0.0.1:1 and ***"
    (run_json,) = (path for path in (project.path / "data").rglob("run.json") if "secretive" in path.parts)
    assert "http://bob:***@127.0.0.1:1" in run_json.read_text()
    run_id, status = project.last_run()
    assert status == "FAILED"
    ((error,),) = project.query("select value from tags where key='error' and run_uuid=?", run_id)
    assert error == "s3 refused *** of http://bob:***@127.0.0.1:1 and ***"
    assert files_with(project.path, SECRETS) == []
    out, err = capfd.readouterr()
    for secret in SECRETS:
        assert secret not in out + err + caplog.text


def test_what_is_published_names_no_absolute_path_and_no_user(project):
    store = project.path / "mlruns"
    before = set(store.rglob("*"))
    project.run("mlp", env="forest_fires_size", problem={"name": "public"}, evaluation={"baselines": False})
    # The runs of other tests in this project are theirs.
    written = set(store.rglob("*")) - before
    names = {path.name for path in written}
    assert {"MLmodel", "report.html", "model_card.md", "preprocessor.json"} <= names
    texts = [str(project.path), str(Path.home()) + "/", str(Path(__file__).parents[2])]
    if len(getpass.getuser()) > 4:  # root, the name of a shorter one may be a word
        texts.append(getpass.getuser())
    assert set(files_with(store, texts)) & written == set()
    (card,) = (path for path in written if path.name == "model_card.md" and "models" not in path.parts)
    assert "data/01_raw/forest_fires/forestfires_uci.csv" in card.read_text()
