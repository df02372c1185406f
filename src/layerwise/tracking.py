"""Runs in MLflow: one for each `kedro run`, with the status it really had.

The hook starts the run, hands metrics, figures and tags on while nodes work, and logs the trained network with its
preparation. A worker process of the parallel runner inherits the hook and reports to the same run.
"""

from __future__ import annotations

import atexit
import json
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kedro.framework.hooks import hook_impl

from layerwise.errors import UserError
from layerwise.guards import check_parameters
from layerwise.receiver import RunReceiver
from layerwise.training import reporting

if TYPE_CHECKING:
    from kedro.framework.context import KedroContext
    from kedro.io import CatalogProtocol
    from kedro.pipeline import Pipeline
    from mlflow import MlflowClient

log = logging.getLogger(__name__)

# Texts that are kept with a run, and the names of their files.
TEXTS = {"model_card": "model_card.md", "report": "report.md", "page": "page.html"}


class TrackingError(UserError, RuntimeError):
    """The tracking server cannot be used; the message says how to go on without it."""


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


def tracking_uri(project: Path) -> str:
    """Return where runs are kept: MLFLOW_TRACKING_URI, or the project's own SQLite file."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{project / 'mlflow.db'}"


class TrackingHook:
    """Track every `kedro run`."""

    def __init__(self) -> None:
        self._receiver: RunReceiver | None = None
        self._status = "KILLED"

    @hook_impl(trylast=True)
    def after_context_created(self, context: KedroContext) -> None:
        """Remember where the project is, and its parameters."""
        self._project = Path(context.project_path)
        self._parameters = check_parameters(dict(context.config_loader["parameters"]))

    @hook_impl(trylast=True)
    def before_pipeline_run(self, run_params: dict[str, Any], pipeline: Pipeline) -> None:
        """Start the run, before any worker does."""
        names = run_params.get("pipeline_names") or ["__default__"]
        self._pipeline = "+".join(str(name).replace("__default__", "dbn") for name in names)
        self._problem = self._parameters["problem"].name
        uri = tracking_uri(self._project)
        client, run_id = self._start(uri, _top_level_keys(pipeline))
        folder = self._project / "data/08_reporting" / self._problem / self._pipeline
        refuge = folder / f"metrics_{run_id}.jsonl"
        self._uri = uri
        self._receiver = RunReceiver(client, run_id, refuge)
        self._status = "KILLED"
        reporting.add_receiver(self._receiver)
        self._catch_termination()

    def _start(self, uri: str, keys: set[str]) -> tuple[MlflowClient, str]:
        # One failed attempt is enough to say that a server is not there.
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")
        os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
        os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
        logging.getLogger("alembic").setLevel(logging.WARNING)
        logging.getLogger("urllib3").setLevel(logging.ERROR)
        from mlflow import MlflowClient
        from mlflow.entities import Param
        from mlflow.exceptions import MlflowException

        try:
            client = MlflowClient(uri)
            found = client.get_experiment_by_name(self._problem)
            experiment = found.experiment_id if found else self._new_experiment(client, uri)
            commit = _git_commit(self._project)
            tags = {
                "problem": self._problem,
                "pipeline": self._pipeline,
                "command": " ".join(["kedro", *sys.argv[1:]]),
                **({"git.commit": commit} if commit else {}),
            }
            run_id = client.create_run(experiment, run_name=self._pipeline, tags=tags).info.run_id
            used = {key: value for key, value in self._parameters.items() if key in keys}
            params = [Param(name, value[:6000]) for name, value in flatten(used).items()]
            for start in range(0, len(params), 100):
                client.log_batch(run_id, params=params[start : start + 100])
        except (MlflowException, OSError) as error:
            reason = str(error).splitlines()[0] if str(error) else repr(error)
            if "Caused by" in reason:  # the last of a chain of errors says what happened
                reason = reason.rsplit("Caused by", 1)[1].strip("() ")
            raise TrackingError(
                f"The tracking server at {uri} cannot be used: {reason[:200]}. Start it, or unset "
                "MLFLOW_TRACKING_URI to track into mlflow.db"
            ) from None
        return client, run_id

    def _new_experiment(self, client: MlflowClient, uri: str) -> str:
        from mlflow.exceptions import MlflowException

        place = (self._project / "mlruns").as_uri() if uri.startswith("sqlite") else None
        try:
            return client.create_experiment(self._problem, artifact_location=place)
        except MlflowException:  # another run made it in the meantime
            found = client.get_experiment_by_name(self._problem)
            if found is None:
                raise
            return found.experiment_id

    def _catch_termination(self) -> None:
        """Turn SIGTERM into an exception, so that the run is closed as killed."""
        if threading.current_thread() is threading.main_thread():
            self._previous = signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        import mlflow  # noqa: F401 - its own atexit handler has to be registered before ours

        atexit.register(self._close)

    @hook_impl
    def before_node_run(self, catalog: CatalogProtocol) -> None:
        """Remember the catalog, which knows where a figure was saved."""
        self._catalog = catalog

    @hook_impl
    def after_node_run(self) -> None:
        """Send what waits."""
        if self._receiver is not None:
            self._receiver.flush()

    @hook_impl
    def after_dataset_saved(self, dataset_name: str, data: Any) -> None:
        """Keep every figure and the model card with the run."""
        if self._receiver is None:
            return
        name = dataset_name.rsplit(".", 1)[-1]
        if type(data).__name__ == "Figure":
            # The catalog has just drawn it into a file; drawing it again would take as long.
            dataset: Any = self._catalog.get(dataset_name)
            self._receiver.log_file(str(dataset._get_save_path()), "figures")
        elif name in TEXTS:
            self._receiver.log_text(TEXTS[name], data)
        elif name == "film":
            film: Any = self._catalog.get(dataset_name)
            for file in film.files():
                self._receiver.log_file(str(file), "film")

    @hook_impl
    def after_pipeline_run(self, pipeline: Pipeline, catalog: CatalogProtocol) -> None:
        """Log the networks that this run trained and measured, and close the run."""
        if self._receiver is not None and not self._receiver.lost:
            from layerwise.logged_model import log_network

            made = pipeline.all_outputs()
            for name in self._pipeline.split("+"):
                if {f"{name}.network", f"{name}.measures"} <= made:
                    log_network(self._uri, self._receiver.run_id, catalog, name)
                    self._say_what_it_is_worth(catalog.load(f"{name}.measures")["network"], name)
        self._status = "FINISHED"
        self._close()

    def _say_what_it_is_worth(self, measures: dict[str, Any], name: str) -> None:
        shown = [measures[key] for key in ("error", "roc_auc", "rmse", "r2") if key in measures]
        log.info(
            "On the test rows: %s. Figures: data/08_reporting/%s/%s; the run: `mlflow ui`, experiment %s",
            ", ".join(f"{m['name']} {m['value']:.4f} (base rate {m['base_rate']:.4f})" for m in shown),
            self._problem,
            name,
            self._problem,
        )

    @hook_impl
    def on_pipeline_error(self, error: Exception) -> None:
        """Close the run as failed, with the error's first line."""
        self._status = "FAILED"
        if self._receiver is not None:
            self._receiver.log_tags({"error": (str(error).splitlines() or [repr(error)])[0][:500]})
        self._close()

    def _close(self) -> None:
        receiver, self._receiver = self._receiver, None
        if receiver is None:
            return
        reporting.remove_receiver(receiver)
        receiver.close(self._status)
        atexit.unregister(self._close)
        if threading.current_thread() is threading.main_thread() and hasattr(self, "_previous"):
            signal.signal(signal.SIGTERM, self._previous)


def _top_level_keys(pipeline: Pipeline) -> set[str]:
    """Return the parameters' top-level keys that the pipeline reads."""
    return {
        name.removeprefix("params:").split(".")[0] for name in pipeline.inputs() if name.startswith("params:")
    }


def _git_commit(project: Path) -> str | None:
    try:
        found = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=project, capture_output=True, text=True, timeout=5, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.strip()
