"""A run's environment: its parameters, its command, the code's commit, and MLflow's settings before it is imported."""

from __future__ import annotations

import getpass
import json
import logging
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerwise.utils import mask_secrets, mask_secrets_in_logs

if TYPE_CHECKING:
    from kedro.pipeline import Pipeline


def disable_telemetry() -> None:
    """Have MLflow and Kedro report nobody's use of them, in this process and those that it starts.

    Each asks a variable of its own; MLflow's is asked when MLflow is imported.
    """
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    os.environ["KEDRO_DISABLE_TELEMETRY"] = "true"


def configure_mlflow() -> None:
    """Make MLflow log little and give up early: one failed attempt shows that a server is not there."""
    mask_secrets_in_logs()
    disable_telemetry()
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
    # A forked worker must not share an open connection to the tracking database.
    os.environ.setdefault("MLFLOW_SQLALCHEMYSTORE_POOLCLASS", "NullPool")
    # A model holds what was written for it, and no lock file of the folder that the command was given in.
    os.environ.setdefault("MLFLOW_UV_AUTO_DETECT", "false")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    # It prints a traceback for each call that a database does not answer; what is wrong is said once, elsewhere.
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)


def tracking_uri(project: Path) -> str:
    """Return where runs are kept: MLFLOW_TRACKING_URI, or the project's own SQLite file."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{project / 'mlflow.db'}"


def pipeline_of(dataset_name: str) -> str:
    """Return the name of the pipeline that a data set belongs to, `dbn` of `dbn.network`."""
    return dataset_name.partition(".")[0]


def is_predictor(dataset_name: str) -> bool:
    """Return whether a data set is a supervised network, which with its preprocessor predicts raw rows."""
    return dataset_name.rpartition(".")[2] == "network"


def flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Return nested parameters and parameter models as dotted names with text values."""
    flat: dict[str, str] = {}
    for name, value in values.items():
        if hasattr(value, "model_dump"):
            value = value.model_dump(mode="json")
        if isinstance(value, Mapping) and value:
            flat |= flatten(value, f"{prefix}{name}.")
        else:
            flat[prefix + str(name)] = json.dumps(value) if isinstance(value, (list, Mapping)) else str(value)
    return flat


def top_level_keys(pipeline: Pipeline) -> set[str]:
    """Return the parameters' top-level keys that the pipeline reads."""
    return {
        name.removeprefix("params:").split(".")[0] for name in pipeline.inputs() if name.startswith("params:")
    }


def pipeline_names(run_params: Mapping[str, Any]) -> list[str]:
    """Return the names of a run's pipelines as Kedro's hooks are told of it; sorted, since they come in no order."""
    names = run_params.get("pipeline_names") or ["__default__"]
    return sorted({str(name).replace("__default__", "dbn") for name in names})


def whole_pipeline(names: Sequence[str]) -> Pipeline:
    """Return all nodes of pipelines by their names, where a process has a part of them."""
    from kedro.framework.project import pipelines

    first, *others = (pipelines[name] for name in names)
    return sum(others, first)


def run_tags(project: Path, problem: str, pipeline: str, verb: str = "run") -> dict[str, str]:
    """Return the tags of a new run: MLflow's own, by which its UI shows who ran what, and the project's.

    Args:
        project: the project's folder.
        problem: its name.
        pipeline: its name.
        verb: of the command of Kedro.
    """
    tags = {
        "mlflow.source.name": f"kedro {verb} --pipelines={pipeline.replace('+', ',')}",
        "mlflow.source.type": "LOCAL",
        "problem": problem,
        "pipeline": pipeline,
        "command": command(),
    }
    commit = git_commit(project)
    if commit is not None:
        tags["mlflow.source.git.commit"] = commit
    with suppress(OSError, KeyError, ImportError):  # in a container, the user may have no name
        tags["mlflow.user"] = getpass.getuser()
    return tags


def command() -> str:
    """Return the command line, passwords masked."""
    return mask_secrets(" ".join(["kedro", *sys.argv[1:]]))


def git_commit(project: Path) -> str | None:
    """Return the commit of the project's code; None outside of a repository."""
    try:
        found = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=project, capture_output=True, text=True, timeout=5, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.strip()
