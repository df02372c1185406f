"""What is wrong with a store that did not do what it was asked: one word for the program, one sentence for the user."""

from __future__ import annotations

import errno
import os
import re
import sqlite3
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from layerwise.utils import UserError


def _code(numbers: str) -> str:
    """Return the pattern of an HTTP status, as MLflow, requests and boto3 put it."""
    return rf"(?:code|occurred \(|too many|HTTP) ?(?:{numbers})\b"


# By the text of the error, in this order: what a store says of itself, whichever library carries it.
PATTERNS = {
    "driver": r"No module named|Can't load plugin",
    "full": rf"No space left|disk is full|disk full|quota|could not extend file|{_code('507')}",
    "password": r"password authentication failed|no password supplied|Access denied for user|InvalidAccessKeyId|"
    rf"SignatureDoesNotMatch|Unable to locate credentials|{_code('401')}",
    "forbidden": r"Permission denied|readonly database|[Rr]ead-only|unable to open database file|AccessDenied|"
    rf"permission denied|Operation not permitted|{_code('403')}",
    "locked": r"database is locked|database table is locked|lock timeout|Lock wait timeout|deadlock",
    "missing": r"database \S+ does not exist|Unknown database",
    "busy": rf"{_code('429|50[0234]')}|TEMPORARILY_UNAVAILABLE|RESOURCE_EXHAUSTED|SlowDown|too many clients|"
    "starting up|shutting down",
    "away": r"refused|timed out|timeout|[Cc]onnection|unreachable|resolve host|Max retries|reset by peer|Broken pipe",
}
NUMBERS = {
    errno.ENOSPC: "full", errno.EDQUOT: "full", errno.EACCES: "forbidden", errno.EPERM: "forbidden",
    errno.EROFS: "forbidden",
}  # fmt: skip
FIXES = {
    "driver": "the package that speaks with this database is missing: pip install 'layerwise[postgres]' for "
    "postgresql://, for another one see SQLAlchemy's list of dialects",
    "full": "its disk is full: make room",
    "password": "it refuses the user or the password: correct those of its address, or of its variables",
    "forbidden": "it may not be written: give yourself the right",
    "locked": "it is locked by another process: wait for its end, or end it",
    "busy": "it answers that it cannot serve now: try again later",
    "missing": "the database is not there: create it",
    "away": "it does not answer: start it, or correct its address",
    "unknown": "it failed",
}
# Packages whose errors are a store's and no defect of a call.
STORES = (
    "mlflow",
    "sqlalchemy",
    "requests",
    "urllib3",
    "botocore",
    "boto3",
    "google",
    "azure",
    "psycopg",
    "sqlite3",
)
CONNECTION_SECONDS = 5


@dataclass(frozen=True)
class StoreFailure:
    """Why a store did not do what it was asked.

    Args:
        kind: one of the keys of `FIXES`.
        detail: the store's own words, in one line.
    """

    kind: str
    detail: str

    def __str__(self) -> str:
        return f"{FIXES[self.kind]} ({self.detail})"


def store_failure(error: BaseException) -> StoreFailure | None:
    """Return what an error says of a store; None for one that is no store's, such as a defect of the call."""
    chain = list(_causes(error))
    if isinstance(error, UserError) or not any(_is_of_a_store(each) for each in chain):
        return None
    detail = _detail(str(error) or str(chain[-1]) or repr(error))
    for each in chain:
        number = getattr(each, "errno", None)
        if number in NUMBERS:
            return StoreFailure(NUMBERS[number], detail)
    text = "\n".join(str(each) for each in chain)
    kind = next((name for name, pattern in PATTERNS.items() if re.search(pattern, text)), None)
    if kind is None:
        kind = "away" if any(isinstance(each, ConnectionError) for each in chain) else "unknown"
    return StoreFailure(kind, detail)


def disk_fix(error: BaseException) -> str:
    """Return the fix where a file could not be written, its disk full or forbidden; empty for any other error."""
    text = "\n".join(str(each) for each in _causes(error))
    return FIXES.get(_kind_of_disk(text), "")


def _kind_of_disk(text: str) -> str:
    # The libraries that write networks and tables say the system's words, and keep no number.
    return next((kind for number, kind in NUMBERS.items() if os.strerror(number) in text), "")


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    at: BaseException | None = error
    while at is not None and id(at) not in seen:
        seen.add(id(at))
        yield at
        at = at.__cause__ or at.__context__


def _is_of_a_store(error: BaseException) -> bool:
    names = {kind.__module__.partition(".")[0] for kind in type(error).__mro__}
    is_known = isinstance(error, (OSError, ImportError)) or not names.isdisjoint(STORES)
    return is_known or bool(_kind_of_disk(str(error)))


def _detail(text: str) -> str:
    """Return what happened in one line: of a chain of errors the last one, without the statement that met it."""
    line = (text.strip().splitlines() or [""])[0]
    if "Caused by" in line:
        line = line.rsplit("Caused by", 1)[1].strip("() ")
    return re.sub(r"^\((?:\w+\.)+\w+\)\s*", "", line)[:200]


def check_database(uri: str) -> None:
    """Open and close a connection to a tracking database, in seconds; MLflow tries for a minute and a half.

    Raises:
        OSError, sqlite3.Error, SQLAlchemyError, ImportError: it cannot be used; see `store_failure`.
    """
    if uri.startswith("sqlite:///"):
        _check_sqlite(Path(uri.removeprefix("sqlite:///")))
    elif "://" in uri and not uri.startswith(("http", "file", "databricks")):
        from sqlalchemy import create_engine, make_url
        from sqlalchemy.pool import NullPool

        arguments: dict[str, Any] = {}
        if make_url(uri).get_backend_name() in ("postgresql", "mysql"):
            arguments = {"connect_timeout": CONNECTION_SECONDS}
        engine = create_engine(uri, poolclass=NullPool, connect_args=arguments)
        engine.connect().close()


def _check_sqlite(path: Path) -> None:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            return
    connection = sqlite3.connect(path, timeout=CONNECTION_SECONDS)
    try:
        connection.execute("BEGIN IMMEDIATE")
        connection.rollback()
    finally:
        connection.close()
