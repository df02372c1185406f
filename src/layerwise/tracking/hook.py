"""The hook that tracks each `kedro run` as an MLflow run, with the status that it ended with.

It starts the run, logs metrics, figures and tags while nodes run, and logs the trained network with its
preprocessor. A worker process of the parallel runner inherits the hook and reports to the same run.
"""

from __future__ import annotations

import atexit
import logging
import os
import signal
import sys
import threading
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kedro.framework.hooks import hook_impl

from layerwise.parameters import check_parameters
from layerwise.tracking.buffered_logger import BufferedRunLogger, send_buffered
from layerwise.tracking.compute import apply_compute_settings
from layerwise.tracking.environment import (
    command,
    configure_mlflow,
    flatten,
    git_commit,
    top_level_keys,
    tracking_uri,
)
from layerwise.tracking.saved_data import report_saved
from layerwise.utils import ResumeError, UserError, problem, run_context

if TYPE_CHECKING:
    from kedro.framework.context import KedroContext
    from kedro.io import CatalogProtocol
    from kedro.pipeline import Node, Pipeline
    from mlflow import MlflowClient

    from layerwise.checkpointing import RunLifecycle
    from layerwise.evaluation.metrics import NamedMetrics

log = logging.getLogger(__name__)


class TrackingError(UserError, RuntimeError):
    """The tracking server cannot be used; the message says how to go on without it."""


class TrackingHook:
    """Track every `kedro run`."""

    def __init__(self) -> None:
        self._run_logger: BufferedRunLogger | None = None
        self._lifecycle: RunLifecycle | None = None
        self._status = "KILLED"

    @hook_impl(trylast=True)
    def after_context_created(self, context: KedroContext) -> None:
        """Keep the project's path and its parameters."""
        self._project = Path(context.project_path)
        self._parameters = check_parameters(dict(context.config_loader["parameters"]))

    @hook_impl(trylast=True)
    def before_pipeline_run(self, run_params: dict[str, Any], pipeline: Pipeline) -> None:
        """Start the run, before any worker does."""
        # Imported here, as it imports torch, which commands that run nothing do without.
        from layerwise.checkpointing import RunLifecycle

        self._close()  # of a run that was interrupted in this process, as in a notebook
        names = run_params.get("pipeline_names") or ["__default__"]
        # Sorted, since Kedro hands several on in no order.
        self._pipelines = sorted({str(name).replace("__default__", "dbn") for name in names})
        self._pipeline = "+".join(self._pipelines)
        self._problem = problem()
        uri = self._uri = tracking_uri(self._project)
        keys = top_level_keys(pipeline) | {"compute"}
        used = flatten({key: value for key, value in self._parameters.items() if key in keys})
        checkpoints, resume = self._parameters["checkpoints"], self._parameters["resume"]
        self._lifecycle = RunLifecycle(
            self._project, self._problem, self._pipeline, used, checkpoints, resume
        )
        self._status, self._earlier_status = "FAILED", "FAILED"
        try:
            apply_compute_settings(self._parameters["compute"], self._lifecycle.earlier)
            self._track(uri, used)
        except BaseException:
            self._close()
            raise
        self._status = "KILLED"
        self._handle_sigterm()

    def _track(self, uri: str, used: dict[str, str]) -> None:
        from layerwise.checkpointing import tracking_lock
        from layerwise.tracking.run_outputs import logged_metrics, mark_killed

        assert self._lifecycle is not None
        earlier = self._lifecycle.earlier
        folder = self._project / "data/08_reporting" / self._problem / self._pipeline
        with tracking_lock(self._project):
            client, run_id = self._start(uri, earlier["run_id"] if earlier else None)
        self._run_logger = BufferedRunLogger(client, run_id, folder / f"metrics_{run_id}.jsonl", uri)
        # At once, so that a process that dies from here on leaves a record of its run.
        self._lifecycle.start(run_id, command(), uri)
        send_buffered(client, uri, folder)
        if earlier:
            self._run_logger.already_logged |= logged_metrics(client, run_id)
        self._run_logger.log_params(used)
        mark_killed(client, self._lifecycle.find_killed(uri))
        run_context.add_listener(self._run_logger)

    def _start(self, uri: str, earlier: str | None) -> tuple[MlflowClient, str]:
        configure_mlflow()
        logging.getLogger("urllib3").setLevel(logging.ERROR)
        from mlflow import MlflowClient
        from mlflow.exceptions import MlflowException

        try:
            client = MlflowClient(uri)
            if earlier is not None:
                self._reopen_run(client, earlier)
                return client, earlier
            found = client.get_experiment_by_name(self._problem)
            experiment = found.experiment_id if found else self._create_experiment(client, uri)
            commit = git_commit(self._project)
            tags = {
                "problem": self._problem,
                "pipeline": self._pipeline,
                "command": command(),
                **({"git.commit": commit} if commit else {}),
            }
            run_id = client.create_run(experiment, run_name=self._pipeline, tags=tags).info.run_id
        except (MlflowException, OSError) as error:
            reason = str(error).splitlines()[0] if str(error) else repr(error)
            if "Caused by" in reason:  # the last of a chain of errors says what happened
                reason = reason.rsplit("Caused by", 1)[1].strip("() ")
            raise TrackingError(
                f"The tracking server at {uri} cannot be used: {reason[:200]}. Start it, or unset "
                "MLFLOW_TRACKING_URI to track into mlflow.db"
            ) from None
        return client, run_id

    def _reopen_run(self, client: MlflowClient, run_id: str) -> None:
        """Open the run again, and remove the error that it ended with."""
        from mlflow.exceptions import MlflowException

        try:
            run = client.get_run(run_id)
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            raise ResumeError(
                f"run {run_id} is not known to {self._uri}: set MLFLOW_TRACKING_URI as it was then"
            ) from None
        if run.info.lifecycle_stage == "deleted":
            raise ResumeError(f"run {run_id} was deleted in MLflow: restore it there, or start a new run")
        self._earlier_status = run.info.status
        client.update_run(run_id, status="RUNNING")
        client.set_tag(run_id, "resumed", str(int(run.data.tags.get("resumed", 0)) + 1))
        if "error" in run.data.tags:
            client.delete_tag(run_id, "error")

    def _create_experiment(self, client: MlflowClient, uri: str) -> str:
        from mlflow.exceptions import MlflowException

        artifact_location = None if uri.startswith("http") else (self._project / "mlruns").as_uri()
        if os.environ.get("LAYERWISE_ARTIFACTS"):
            artifact_location = f"{os.environ['LAYERWISE_ARTIFACTS'].rstrip('/')}/{self._problem}"
        try:
            return client.create_experiment(self._problem, artifact_location=artifact_location)
        except MlflowException:  # another run made it in the meantime
            found = client.get_experiment_by_name(self._problem)
            if found is None:
                raise
            return found.experiment_id

    def _handle_sigterm(self) -> None:
        """Turn SIGTERM into an exception, so that the run is closed as killed."""
        if threading.current_thread() is threading.main_thread():
            self._previous = signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        import mlflow  # noqa: F401 - its own atexit handler has to be registered before ours

        atexit.register(self._close)

    @hook_impl
    def before_node_run(self, node: Node, catalog: CatalogProtocol[Any, Any]) -> None:
        """Keep the catalog, which knows where a figure was saved, and name the node's checkpoints after it."""
        from layerwise.utils import current_checkpoint_store

        self._catalog = catalog
        checkpoints = current_checkpoint_store()
        if checkpoints is not None:
            checkpoints.set_scope(node.name)
        if self._run_logger is not None:
            self._run_logger.set_prefix(self._prefix(node.outputs[0]))

    def _prefix(self, dataset_name: str) -> str:
        """Return what begins the names of a data set's metrics and the folder of its artifacts in the run.

        It is empty unless the run has several pipelines, which report under the same names.
        """
        return f"{dataset_name.split('.')[0]}/" if len(self._pipelines) > 1 else ""

    @hook_impl
    def after_node_run(self) -> None:
        """Send the pending metrics."""
        if self._run_logger is not None:
            self._run_logger.flush()

    @hook_impl
    def after_dataset_saved(self, dataset_name: str, data: Any) -> None:
        """Log the metrics and tags that the data hold, and the files of an entry that is an artifact."""
        if self._run_logger is None:
            return
        from layerwise.tracking.run_outputs import artifact_files

        prefix = self._prefix(dataset_name)
        # Here too: Kedro may save in another thread than the node's.
        self._run_logger.set_prefix(prefix)
        report_saved(data)
        folder, files = artifact_files(self._catalog, dataset_name) or ("", [])
        for file in files:
            self._run_logger.log_file(str(file), (prefix + folder).rstrip("/"))

    @hook_impl
    def after_pipeline_run(self, pipeline: Pipeline, catalog: CatalogProtocol[Any, Any]) -> None:
        """Log the run's outputs and its trained models, and close the run."""
        run_logger = self._run_logger
        if run_logger is not None:
            from layerwise.tracking.model_logging import log_model, save_model_folder
            from layerwise.tracking.run_outputs import log_outputs

            outputs, data = pipeline.all_outputs(), self._project / "data"
            run_logger.attempt(
                lambda: log_outputs(run_logger.client, run_logger.run_id, catalog, outputs, data)
            )
            for name in self._pipelines:
                if {f"{name}.network", f"{name}.metrics"} <= outputs:
                    # A run that was stopped before its model card is an experiment, no model.
                    if f"{name}.model_card" in outputs:
                        folder = self._project / "data/06_models" / self._problem / name / "model"
                        manifest, sha256 = save_model_folder(
                            folder, run_logger.run_id, catalog, name, self._problem
                        )
                        run_logger.attempt(
                            partial(
                                log_model,
                                self._uri,
                                run_logger.run_id,
                                catalog,
                                name,
                                folder,
                                manifest,
                                sha256,
                                "model" if len(self._pipelines) == 1 else f"{name}_model",
                            )
                        )
                    self._log_test_metrics(catalog.load(f"{name}.metrics").network, name)
        self._status = "FINISHED"
        self._close()

    def _log_test_metrics(self, metrics: NamedMetrics, name: str) -> None:
        shown = [metrics[key] for key in ("error", "roc_auc", "rmse", "r2") if key in metrics]
        log.info(
            "On the test rows: %s. Figures: data/08_reporting/%s/%s; the run: `mlflow ui`, experiment %s",
            ", ".join(f"{m.name} {m.value:.4f} (base rate {m.base_rate:.4f})" for m in shown),
            self._problem,
            name,
            self._problem,
        )

    @hook_impl
    def on_pipeline_error(self, error: Exception) -> None:
        """Close the run as failed, with the error's first line."""
        cannot_resume = isinstance(error, ResumeError)
        # A run that could not be resumed keeps the status that it had.
        self._status = self._earlier_status if cannot_resume else "FAILED"
        if self._run_logger is not None and not cannot_resume:
            self._run_logger.log_tags({"error": (str(error).splitlines() or [repr(error)])[0][:500]})
        self._close()

    def _close(self) -> None:
        run_logger, self._run_logger = self._run_logger, None
        lifecycle, self._lifecycle = self._lifecycle, None
        if run_logger is not None:
            run_context.remove_listener(run_logger)
            run_logger.close(self._status)
        if lifecycle is not None:
            lifecycle.finish(self._status)
        if run_logger is None:
            return
        atexit.unregister(self._close)
        if threading.current_thread() is threading.main_thread() and hasattr(self, "_previous"):
            signal.signal(signal.SIGTERM, self._previous)
