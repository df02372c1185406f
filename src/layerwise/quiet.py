"""What MLflow says and how long it waits, set before it is imported."""

from __future__ import annotations

import logging
import os


def quiet_mlflow() -> None:
    """Let MLflow say little, and give up early: one failed attempt is enough to say that a server is not there."""
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
    logging.getLogger("alembic").setLevel(logging.WARNING)
