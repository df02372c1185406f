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
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kedro.framework.hooks import hook_impl

from layerwise.parameters import apply_compute_settings, check_parameters, require_spread
from layerwise.tracking.environment import (
    command,
    flatten,
    pipeline_names,
    pipeline_of,
    run_tags,
    top_level_keys,
    tracking_uri,
    whole_pipeline,
)
from layerwise.tracking.outbox import (
    BufferedRunLogger,
    is_remote,
    outbox,
    records_file,
    store_failure,
)
from layerwise.tracking.runs import join_run, open_run, watch_system
from layerwise.tracking.saved_data import SavedData, without_open_sizes
from layerwise.utils import (
    FolderError,
    ResumeError,
    RunPart,
    first_line,
    in_trial,
    mask_secrets,
    problem,
    run_context,
    run_part,
)

if TYPE_CHECKING:
    from kedro.framework.context import KedroContext
    from kedro.io import CatalogProtocol
    from kedro.pipeline import Node, Pipeline
    from mlflow import MlflowClient

    from layerwise.checkpointing import OpenedRun, RunLifecycle, RunOnDisk

log = logging.getLogger(__name__)


class TrackingHook:
    """Track every `kedro run`."""

    def __init__(self) -> None:
        self._run_logger: BufferedRunLogger | None = None
        self._lifecycle: RunOnDisk | None = None
        self._saved_data: SavedData | None = None
        self._system_metrics: Any = None
        self._status, self._leaves_open = "KILLED", False
        self._part = RunPart()

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
        from layerwise.checkpointing import OpenedRun, RunLifecycle

        self._close()  # of a run that was interrupted in this process, as in a notebook
        if in_trial():  # its sweep reports it
            apply_compute_settings(self._parameters["compute"], None)
            return
        self._pipelines = pipeline_names(run_params)
        self._pipeline = "+".join(self._pipelines)
        self._problem = problem()
        uri = tracking_uri(self._project)
        self._part = run_part()
        joins = bool(self._part.run_id)
        whole = whole_pipeline(self._pipelines) if joins else pipeline
        keys = top_level_keys(whole) | {"compute"}
        used = flatten({key: value for key, value in self._parameters.items() if key in keys})
        used = {name: mask_secrets(value) for name, value in used.items()}
        own = (self._project, self._problem, self._pipeline, used, self._parameters["checkpoints"])
        lifecycle = (
            OpenedRun(*own, self._part.run_id) if joins else RunLifecycle(*own, self._parameters["resume"])
        )
        self._lifecycle = lifecycle
        self._status, self._earlier_status = "FAILED", "FAILED"
        # What cannot join a run leaves it as it is, and so does a process of some of its nodes.
        self._leaves_open = joins
        try:
            require_spread(self._parameters["compute"], (node.func for node in pipeline.nodes))
            apply_compute_settings(self._parameters["compute"], lifecycle.earlier)
            if isinstance(lifecycle, OpenedRun):
                given = pipeline.inputs()
                lifecycle.require_nodes([node.name for node in whole.nodes if given & set(node.outputs)])
                self._join(uri, lifecycle, [node.name for node in pipeline.nodes])
            else:
                self._begin(uri, lifecycle, used)
        except BaseException:
            self._close()
            raise
        assert self._run_logger is not None
        several = len(self._pipelines) > 1
        self._saved_data = SavedData(
            self._run_logger, catalog, whole, self._problem, several, lifecycle.resumed
        )
        self._status, self._leaves_open = "KILLED", joins and not self._part.ends
        self._handle_sigterm()

    def _begin(self, uri: str, lifecycle: RunLifecycle, used: dict[str, str]) -> None:
        """Begin the run in MLflow, or go on with an earlier one."""
        from layerwise.checkpointing import tracking_lock
        from layerwise.tracking.run_outputs import find_lost, logged_metrics, mark_killed

        earlier = lifecycle.earlier
        with tracking_lock(self._project):
            client, run_id, self._earlier_status = open_run(
                uri,
                self._project,
                self._problem,
                self._pipeline,
                run_tags(self._project, self._problem, self._pipeline) | lifecycle.announce(),
                earlier["run_id"] if earlier else None,
            )
        # What is kept on this machine names the server without its password.
        server = mask_secrets(uri)
        # At once, so that a process that dies from here on leaves a record of its run.
        lifecycle.start(run_id, command(), server)
        run_logger = self._send_to(client, run_id, uri)
        if earlier:
            run_logger.already_logged |= logged_metrics(client, run_id)
        run_logger.log_params(without_open_sizes(used, self._parameters))
        mark_killed(client, lifecycle.find_killed(server))
        mark_killed(client, find_lost(client, run_id, lifecycle.lost_mark))

    def _join(self, uri: str, opened: OpenedRun, nodes: Sequence[str]) -> None:
        """Report the nodes into a run that was opened."""
        from layerwise.tracking.run_outputs import logged_metrics

        run_id = self._part.run_id
        client = join_run(uri, run_id)
        run_logger = self._send_to(client, run_id, uri)
        if opened.has_begun(nodes):
            run_logger.already_logged |= logged_metrics(client, run_id)

    def _send_to(self, client: MlflowClient, run_id: str, uri: str) -> BufferedRunLogger:
        """Send what is reported to the run, after what earlier processes have kept for the server."""
        from layerwise.tracking.outbox import send_outbox

        kept, server = outbox(self._project), mask_secrets(uri)
        self._run_logger = BufferedRunLogger(
            client, run_id, records_file(kept, run_id), server, in_background=is_remote(uri)
        )
        send_outbox(client, server, kept)
        run_context.add_listener(self._run_logger)
        if self._parameters["tracking"].system_metrics:
            assert self._lifecycle is not None
            self._system_metrics = watch_system(run_id, uri, self._lifecycle.resumed)
        return self._run_logger

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
        if self._run_logger is not None and self._lifecycle is not None:
            self._lifecycle.begin_node(node.name, node.outputs)
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
        if self._run_logger is None or self._lifecycle is None:
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
        self._lifecycle.take_output(dataset_name, self._run_logger.flush)

    @hook_impl
    def after_pipeline_run(self, pipeline: Pipeline, catalog: CatalogProtocol[Any, Any]) -> None:
        """Log the run's outputs and models, and close it as finished; a process that does not end it leaves it open."""
        try:
            if self._run_logger is not None and self._part.ends:
                assert self._lifecycle is not None
                self._lifecycle.require_nodes([node.name for node in pipeline.nodes], self._part.failed)
                from layerwise.tracking.run_end import store_results

                assert self._saved_data is not None
                own = (self._pipelines, pipeline, catalog, self._project)
                store_results(self._saved_data, *own, self._lifecycle.command)
        except Exception as error:
            self.on_pipeline_error(error)
            failure = store_failure(error)
            if failure is None:
                raise
            raise FolderError(
                f"the run has trained, but its results could not be written: {failure}. Then "
                "--params=resume=true goes on from there"
            ) from error
        self._status, self._leaves_open = "FINISHED", not self._part.ends
        self._close()

    @hook_impl(tryfirst=True)
    def on_node_error(self, error: Exception, node: Node) -> None:
        """Mask passwords in what an error says before others, such as Kedro-Viz, write it into files of their own."""
        error.args = tuple(mask_secrets(each) if isinstance(each, str) else each for each in error.args)
        if self._lifecycle is not None:
            self._lifecycle.fail_node(node.name, mask_secrets(first_line(error))[:500])

    @hook_impl
    def on_pipeline_error(self, error: Exception) -> None:
        """Close the run as failed, with the error's first line."""
        cannot_resume = isinstance(error, ResumeError)
        if self._lifecycle is not None:
            self._lifecycle.fail_nodes(mask_secrets(first_line(error))[:500])
        # A run that could not be resumed keeps the status that it had.
        self._status = self._earlier_status if cannot_resume else "FAILED"
        if self._run_logger is not None and not cannot_resume and not self._leaves_open:
            self._run_logger.log_tags({"error": mask_secrets(first_line(error))[:500]})
        self._close()

    def _close(self) -> None:
        status = None if self._leaves_open else self._status
        run_logger, self._run_logger = self._run_logger, None
        lifecycle, self._lifecycle = self._lifecycle, None
        if run_logger is not None:
            run_context.remove_listener(run_logger)
            if self._system_metrics is not None:
                self._system_metrics.finish()
                self._system_metrics = None
            if self._saved_data is not None and status in ("FAILED", "KILLED"):
                self._saved_data.give_up()
            run_logger.close(status)
        if lifecycle is not None:
            lifecycle.finish(status)
        if run_logger is None:
            return
        atexit.unregister(self._close)
        if threading.current_thread() is threading.main_thread() and hasattr(self, "_previous"):
            signal.signal(signal.SIGTERM, self._previous)
