"""The process that speaks with MLflow beside a command: each test has commands of its own, since pytest has MLflow."""

import subprocess
import sys

import pandas as pd
import pytest

from layerwise.tracking.outbox import ClientBeside, where_mlflow_is
from layerwise.tracking.outbox.store_process import portable

COMMAND = """
import sys
from layerwise.tracking import process
process.busy_cores = lambda: 0.0
from kedro.framework.cli import main
sys.argv[0] = "kedro"
try:
    main()
finally:
    sys.stderr.write("imported: " + " ".join(sorted({"mlflow", "torch"} & set(sys.modules))))
"""
STORE = """
import os, signal, sys
from layerwise.tracking import find_model, start_store_process
from layerwise.tracking.outbox import has_store_process, send_records, store_client
from layerwise.tracking.outbox import store_process

def text_of(function, *args):
    try:
        function(*args)
    except Exception as error:
        return type(error).__name__ + ": " + str(error)

uri = sys.argv[1]
start_store_process(uri)
client = store_client(uri)
assert has_store_process() and "mlflow" not in sys.modules
wrong = text_of(find_model, "nothing@champion", uri)
assert wrong.startswith("ModelError: no model is registered as 'nothing'"), wrong
assert "mlflow" not in sys.modules
experiment = client.create_experiment("here")
run_id = client.create_run(experiment).info.run_id  # what belongs to MLflow is read here with MLflow
send_records(client, run_id, [{"tags": {"of": "two"}}, {"status": "FINISHED", "end": 2}])
wrong = text_of(client.get_run, "0" * 32)
assert wrong.startswith("MlflowException: Run with id=000"), wrong
os.kill(store_process._processes[0]._number, signal.SIGKILL)
found = client.get_run(run_id)
assert not has_store_process()
assert (found.info.status, found.data.tags["of"]) == ("FINISHED", "two")
"""


def python(code, *arguments, cwd):
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=cwd, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stderr


def test_a_command_that_answers_rows_imports_no_mlflow_and_is_tracked(fresh_project, tables):
    frame = tables.table(30)
    frame.to_csv(fresh_project.path / "rows.csv", index=False)
    model = tables.saved(fresh_project.path / "model", frame)
    given = "predict.model=model,predict.input=rows.csv,predict.output=answers.csv"
    said = python(COMMAND, "run", "--pipelines=predict", f"--params={given}", cwd=fresh_project.path)
    assert said.endswith("imported: torch")
    answers = pd.read_csv(fresh_project.path / "answers.csv")
    assert answers["prediction"].tolist() == model.predict(frame)["prediction"].tolist()
    run_id, status = fresh_project.last_run()
    assert status == "FINISHED"
    found = dict(fresh_project.query("select key, value from latest_metrics where run_uuid = ?", run_id))
    assert (found["predict/rows"], found["predict/refused"]) == (30.0, 0.0)
    tags = dict(fresh_project.query("select key, value from tags where run_uuid = ?", run_id))
    assert tags["mlflow.note.content"].startswith("Predictions of a trained model")


def test_what_fails_there_is_raised_here_and_what_died_is_done_here(fresh_project):
    python(STORE, f"sqlite:///{fresh_project.path / 'mlflow.db'}", cwd=fresh_project.path)


class TwoPartError(OSError):
    def __init__(self, first, second):
        super().__init__(f"{first} and {second}")


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ValueError("no"), ValueError),
        (TwoPartError("refused", "gone"), ConnectionError),
        (type("Local", (Exception,), {})("gone"), RuntimeError),
    ],
)
def test_an_error_that_no_other_process_can_read_keeps_its_words_and_whether_it_is_a_stores(error, kind):
    assert type(portable(error)) is kind
    assert str(portable(error)) == str(error)


@where_mlflow_is
def address(client, suffix):
    return type(client).__name__ + suffix


def test_without_such_a_process_a_function_is_called_here_with_a_client_of_its_own(fresh_project):
    assert address("a text", "!") == "str!"
    assert address(ClientBeside(f"sqlite:///{fresh_project.path / 'mlflow.db'}"), "!") == "RetryingClient!"
