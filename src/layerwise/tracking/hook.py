"""The hook that tracks each `kedro run` as an MLflow run, with the status that it ended with.

It starts the run, logs metrics, figures and tags while nodes run, and logs the trained network with its
preprocessor. A worker process of the parallel runner inherits the hook and reports to the same run.
"""

from __future__ import annotations

import atexit
import logging
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kedro.framework.hooks import hook_impl

from layerwise.parameters import apply_compute_settings, check_parameters, require_spread
from layerwise.tracking.environment import (
    command,
    flatten,
    pipeline_of,
    run_tags,
    top_level_keys,
    tracking_uri,
)
from layerwise.tracking.outbox import (
    BufferedRunLogger,
    is_remote,
    outbox,
    records_file,
    store_failure,
)
from layerwise.tracking.runs import open_run, watch_system
from layerwise.tracking.saved_data import SavedData, without_open_sizes
from layerwise.utils import FolderError, ResumeError, in_trial, mask_secrets, problem, run_context

if TYPE_CHECKING:
    from kedro.framework.context import KedroContext
    from kedro.io import CatalogProtocol
    from kedro.pipeline import Node, Pipeline

    from layerwise.checkpointing import RunLifecycle

log = logging.getLogger(__name__)


class TrackingHook:
    """Track every `kedro run`."""

    def __init__(self) -> None:
        self._run_logger: BufferedRunLogger | None = None
        self._lifecycle: RunLifecycle | None = None
        self._saved_data: SavedData | None = None
        self._system_metrics: Any = None
        self._status = "KILLED"

    @hook_impl(trylast=True)
    def after_context_created(self, context: KedroContext) -> None:
        """Keep the project's path and its parameters."""
        self._project = Path(context.project_path)
        self._parameters = check_parameters(dict(context.config_loader["parameters"]))

    @hook_impl(trylast=True)
    def before_pipeline_run(
        self, run_params: dict[str, Any], pipeline: Pipeline, catalog: CatalogProtocol[Any, Any]
    ) -> None:
        """Start the run, before any worker does."""
        # Imported here, as it imports torch, which commands that run nothing do without.
        from layerwise.checkpointing import RunLifecycle

        self._close()  # of a run that was interrupted in this process, as in a notebook
        if in_trial():  # its sweep reports it
            apply_compute_settings(self._parameters["compute"], None)
            return
        names = run_params.get("pipeline_names") or ["__default__"]
        # Sorted, since Kedro hands several on in no order.
        self._pipelines = sorted({str(name).replace("__default__", "dbn") for name in names})
        self._pipeline = "+".join(self._pipelines)
        self._problem = problem()
        uri = self._uri = tracking_uri(self._project)
        keys = top_level_keys(pipeline) | {"compute"}
        used = flatten({key: value for key, value in self._parameters.items() if key in keys})
        used = {name: mask_secrets(value) for name, value in used.items()}
        checkpoints, resume = self._parameters["checkpoints"], self._parameters["resume"]
        self._lifecycle = RunLifecycle(
            self._project, self._problem, self._pipeline, used, checkpoints, resume
        )
        self._status, self._earlier_status = "FAILED", "FAILED"
        try:
            require_spread(self._parameters["compute"], (node.func for node in pipeline.nodes))
            apply_compute_settings(self._parameters["compute"], self._lifecycle.earlier)
            self._track(uri, used)
        except BaseException:
            self._close()
            raise
        assert self._run_logger is not None
        several = len(self._pipelines) > 1
        resumed = self._lifecycle.earlier is not None
        self._saved_data = SavedData(self._run_logger, catalog, pipeline, self._problem, several, resumed)
        self._status = "KILLED"
        self._handle_sigterm()

    def _track(self, uri: str, used: dict[str, str]) -> None:
        from layerwise.checkpointing import tracking_lock
        from layerwise.tracking.outbox import send_outbox
        from layerwise.tracking.run_outputs import find_lost, logged_metrics, mark_killed

        assert self._lifecycle is not None
        earlier = self._lifecycle.earlier
        kept = outbox(self._project)
        with tracking_lock(self._project):
            client, run_id, self._earlier_status = open_run(
                uri,
                self._project,
                self._problem,
                self._pipeline,
                run_tags(self._project, self._problem, self._pipeline) | self._lifecycle.announce(),
                earlier["run_id"] if earlier else None,
            )
        # What is kept on this machine names the server without its password.
        server = mask_secrets(uri)
        self._run_logger = BufferedRunLogger(
            client, run_id, records_file(kept, run_id), server, in_background=is_remote(uri)
        )
        # At once, so that a process that dies from here on leaves a record of its run.
        self._lifecycle.start(run_id, command(), server)
        send_outbox(client, server, kept)
        if earlier:
            self._run_logger.already_logged |= logged_metrics(client, run_id)
        self._run_logger.log_params(without_open_sizes(used, self._parameters))
        mark_killed(client, self._lifecycle.find_killed(server))
        mark_killed(client, find_lost(client, run_id, self._lifecycle.lost_mark))
        run_context.add_listener(self._run_logger)
        if self._parameters["tracking"].system_metrics:
            self._system_metrics = watch_system(run_id, uri, resumed=earlier is not None)

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
        if self._saved_data is not None:
            self._saved_data.on_node(node.outputs[0])

    def _prefix(self, dataset_name: str) -> str:
        """Return what begins the names of a data set's metrics and the folder of its artifacts in the run.

        It is empty unless the run has several pipelines, which report under the same names.
        """
        return f"{pipeline_of(dataset_name)}/" if len(self._pipelines) > 1 else ""

    @hook_impl
    def after_node_run(self) -> None:
        """Send the pending metrics."""
        if self._run_logger is not None:
            self._run_logger.send_pending()

    @hook_impl
    def after_dataset_saved(self, dataset_name: str, data: Any) -> None:
        """Log the metrics and tags that the data hold, and the files of an entry that is an artifact."""
        if self._run_logger is None:
            return
        from layerwise.tracking.run_outputs import artifact_files

        prefix = self._prefix(dataset_name)
        # Here too: Kedro may save in another thread than the node's.
        self._run_logger.set_prefix(prefix)
        assert self._saved_data is not None
        self._saved_data.on_saved(dataset_name, data)
        folder, files = artifact_files(self._catalog, dataset_name) or ("", [])
        for file in files:
            self._run_logger.log_file(str(file), (prefix + folder).rstrip("/"))

    @hook_impl
    def after_pipeline_run(self, pipeline: Pipeline, catalog: CatalogProtocol[Any, Any]) -> None:
        """Log the run's outputs and its trained models, and close the run: finished once all of it is stored."""
        try:
            if self._run_logger is not None:
                from layerwise.tracking.run_end import store_results

                assert self._saved_data is not None
                store_results(self._saved_data, self._pipelines, pipeline, catalog, self._project)
        except Exception as error:
            self.on_pipeline_error(error)
            failure = store_failure(error)
            if failure is None:
                raise
            raise FolderError(
                f"the run has trained, but its results could not be written: {failure}. Then "
                "--params=resume=true goes on from there"
            ) from error
        self._status = "FINISHED"
        self._close()

    @hook_impl(tryfirst=True)
    def on_node_error(self, error: Exception) -> None:
        """Mask passwords in what an error says before others, such as Kedro-Viz, write it into files of their own."""
        error.args = tuple(mask_secrets(each) if isinstance(each, str) else each for each in error.args)

    @hook_impl
    def on_pipeline_error(self, error: Exception) -> None:
        """Close the run as failed, with the error's first line."""
        cannot_resume = isinstance(error, ResumeError)
        # A run that could not be resumed keeps the status that it had.
        self._status = self._earlier_status if cannot_resume else "FAILED"
        if self._run_logger is not None and not cannot_resume:
            first = (str(error).splitlines() or [repr(error)])[0]
            self._run_logger.log_tags({"error": mask_secrets(first)[:500]})
        self._close()

    def _close(self) -> None:
        run_logger, self._run_logger = self._run_logger, None
        lifecycle, self._lifecycle = self._lifecycle, None
        if run_logger is not None:
            run_context.remove_listener(run_logger)
            if self._system_metrics is not None:
                self._system_metrics.finish()
                self._system_metrics = None
            if self._saved_data is not None and self._status != "FINISHED":
                self._saved_data.give_up()
            run_logger.close(self._status)
        if lifecycle is not None:
            lifecycle.finish(self._status)
        if run_logger is None:
            return
        atexit.unregister(self._close)
        if threading.current_thread() is threading.main_thread() and hasattr(self, "_previous"):
            signal.signal(signal.SIGTERM, self._previous)
