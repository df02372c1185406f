"""What is wrong with a store is said in a sentence that names the mend."""

import errno
import sqlite3
import time

import pytest
from mlflow.exceptions import MlflowException
from safetensors import SafetensorError

from layerwise.inference import ModelError
from layerwise.tracking.outbox import check_database, retries, store_failure
from layerwise.tracking.outbox.retries import RetryingClient


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (MlflowException("(sqlite3.OperationalError) database is locked\n[SQL: UPDATE runs]"), "locked"),
        (MlflowException("(sqlite3.OperationalError) database or disk is full"), "full"),
        (
            SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)"),
            "full",
        ),
        (MlflowException("(sqlite3.OperationalError) attempt to write a readonly database"), "forbidden"),
        (MlflowException("(sqlite3.OperationalError) unable to open database file"), "forbidden"),
        (
            MlflowException('(psycopg.OperationalError) FATAL:  password authentication failed for user "a"'),
            "password",
        ),
        (MlflowException('(psycopg.OperationalError) FATAL:  database "runs" does not exist'), "missing"),
        (
            MlflowException(
                "(psycopg.OperationalError) connection failed: port 5432 failed: Connection refused"
            ),
            "away",
        ),
        (MlflowException("(psycopg.OperationalError) FATAL: the database system is starting up"), "busy"),
        (
            MlflowException(
                "API request to endpoint /api/2.0/mlflow/runs/log-batch failed with error code 503 != 200"
            ),
            "busy",
        ),
        (MlflowException("API request to endpoint /api failed with error code 429 != 200"), "busy"),
        (MlflowException("API request failed with error code 401 != 200"), "password"),
        (MlflowException("API request failed with error code 403 != 200"), "forbidden"),
        (
            MlflowException(
                "API request failed with exception HTTPConnectionPool(host='127.0.0.1', port=9): Max retries exceeded "
                "(Caused by NewConnectionError('Connection refused'))"
            ),
            "away",
        ),
        (OSError(errno.ENOSPC, "No space left on device"), "full"),
        (PermissionError(errno.EACCES, "Permission denied"), "forbidden"),
        (OSError(errno.EROFS, "Read-only file system"), "forbidden"),
        (ModuleNotFoundError("No module named 'psycopg'"), "driver"),
        (MlflowException("a row of 500 columns"), "unknown"),
    ],
)
def test_each_failure_of_a_store_has_its_kind(error, kind):
    found = store_failure(error)
    assert found.kind == kind
    assert "\n" not in str(found)


def test_the_cause_of_an_error_counts():
    error = MlflowException("it could not be uploaded")
    error.__cause__ = OSError(errno.ENOSPC, "No space left on device")
    assert store_failure(error).kind == "full"


@pytest.mark.parametrize(
    "error",
    [ValueError("a defect"), KeyError("x"), ModelError("no such model"), SafetensorError("no header")],
)
def test_a_defect_and_a_users_error_are_no_failures_of_a_store(error):
    assert store_failure(error) is None


def test_a_locked_database_is_said_within_seconds(tmp_path, monkeypatch):
    monkeypatch.setattr("layerwise.tracking.outbox.failures.CONNECTION_SECONDS", 0.2)
    path = tmp_path / "mlflow.db"
    with sqlite3.connect(path) as holder:
        holder.execute("create table runs (a)")
        holder.commit()
        check_database(f"sqlite:///{path}")
        holder.execute("begin exclusive")
        began = time.monotonic()
        with pytest.raises(sqlite3.OperationalError) as found:
            check_database(f"sqlite:///{path}")
        assert time.monotonic() - began < 3
        assert "locked by another process: wait for its end" in str(store_failure(found.value))
        holder.rollback()


def test_a_new_database_is_not_made_by_the_check(tmp_path):
    check_database(f"sqlite:///{tmp_path}/new/mlflow.db")
    assert not (tmp_path / "new/mlflow.db").exists()


def test_a_database_without_its_driver_names_the_extra():
    with pytest.raises(ImportError) as found:
        check_database("postgresql+asyncpg://127.0.0.1/runs")
    assert "pip install 'layerwise[postgres]'" in str(store_failure(found.value))


def test_a_server_that_cannot_serve_now_is_asked_again_but_makes_no_run_twice(monkeypatch):
    waited, calls = [], []
    monkeypatch.setattr(retries.time, "sleep", waited.append)

    class Busy:
        def _answer(self, name):
            calls.append(name)
            if calls.count(name) < 3:
                raise MlflowException("error code 503 != 200")
            return name

        def get_run(self):
            return self._answer("get_run")

        def create_run(self):
            return self._answer("create_run")

    client = RetryingClient(Busy())
    assert client.get_run() == "get_run"
    assert waited == [0.2, 0.4]
    with pytest.raises(MlflowException):
        client.create_run()
    assert calls.count("create_run") == 1


def test_a_call_that_is_wrong_is_not_repeated(monkeypatch):
    monkeypatch.setattr(retries.time, "sleep", lambda _: pytest.fail("it waits"))

    class Server:
        n = 0

        def get_run(self):
            self.n += 1
            raise MlflowException("Run with id=x not found")

    server = Server()
    with pytest.raises(MlflowException, match="not found"):
        RetryingClient(server).get_run()
    assert server.n == 1
