"""One trial: the pipeline up to its training, in memory, with a run of MLflow below the sweep's."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any

from kedro.io import AbstractDataset, DataCatalog, MemoryDataset
from kedro.runner import SequentialRunner

from layerwise.sweeping.job import Job
from layerwise.sweeping.space import merged
from layerwise.utils import UserError, run_context, stop_trial, trial, trial_stopped

if TYPE_CHECKING:
    from kedro.io import CatalogProtocol
    from kedro.pipeline import Pipeline
    from mlflow.entities import Run
    from optuna import Trial

# All of the first epochs are compared with those of other trials, then every fifth: each costs two queries.
EVERY_EPOCH, STRIDE = 10, 5


class WorkerStopped(KeyboardInterrupt):
    """The launcher is gone, or wants no more trials.

    Args:
        number: of the trial that is left.
    """

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


class _KeptDataset(MemoryDataset):
    """Data that a runner does not let go of after their last use."""

    def _release(self) -> None:
        """Keep them."""


class TrialRunner(SequentialRunner):
    """Runs a pipeline in memory, and keeps from trial to trial what does not depend on the space.

    Args:
        names: of the parameters that trials change.
    """

    def __init__(self, names: Collection[str]) -> None:
        super().__init__()
        self.names = names
        self._kept: dict[str, AbstractDataset[Any, Any]] = {}
        self._kept_nodes: list[tuple[Any, ...]] = []

    def run(
        self, pipeline: Pipeline, catalog: CatalogProtocol[Any, Any], *args: Any, **options: Any
    ) -> dict[str, Any]:
        """Run the pipeline; nothing of it is written to disk."""
        changed = {name for name in pipeline.inputs() if self._is_changed(name)}
        rest = pipeline.from_inputs(*changed) if changed else pipeline
        first = pipeline - rest
        nodes = [(node.func, node.inputs, node.outputs) for node in first.nodes]
        parameters: dict[str, AbstractDataset[Any, Any]] = {
            name: MemoryDataset(catalog.load(name))
            for name in pipeline.inputs()
            if name.startswith("params:")
        }
        if nodes != self._kept_nodes:
            self._kept = {
                name: _KeptDataset(catalog.load(name))
                for name in pipeline.inputs()
                if not name.startswith("params:")
            }
            self._kept |= {name: _KeptDataset() for name in first.all_outputs()}
            self._kept_nodes = nodes
            if nodes:
                super().run(first, DataCatalog(parameters | self._kept), *args, **options)
        return dict(super().run(rest, DataCatalog(parameters | self._kept), *args, **options))

    def _is_changed(self, given: str) -> bool:
        """Return whether a node's input is a parameter that trials change, or a group with one."""
        name = given.removeprefix("params:")
        return name != given and any(f"{each}.".startswith(f"{name}.") for each in self.names)


class TrialListener:
    """Tells the study what the trial reaches, and stops it where the median of others was better.

    Args:
        trial: of the study.
        metric: the objective's.
        is_over: whether the worker shall stop.
    """

    def __init__(self, trial: Trial, metric: str, is_over: Callable[[], bool]) -> None:
        self.trial, self.metric, self.is_over = trial, metric, is_over

    def log_metrics(self, metrics: Mapping[str, float], step: int | None) -> None:
        """Take an epoch's metrics.

        Raises:
            WorkerStopped: the worker shall stop.
        """
        if self.is_over():
            raise WorkerStopped(self.trial.number)
        if self.metric not in metrics or step is None or (step > EVERY_EPOCH and step % STRIDE):
            return
        self.trial.report(metrics[self.metric], step)
        if self.trial.should_prune():
            stop_trial(f"worse after epoch {step} than the median of the trials before")

    def log_tags(self, tags: Mapping[str, str]) -> None:
        """Tags say nothing of the objective."""


def measure(
    job: Job, found: Trial, settings: Mapping[str, Any], runner: TrialRunner, report: ChildRun
) -> float:
    """Train with some settings and return the objective.

    Raises:
        TrialPruned: it was stopped early, or the settings cannot be trained.
    """
    from kedro.framework.session import KedroSession
    from optuna import TrialPruned

    params = merged(job.params, settings)
    output = f"{job.pipeline}.{job.objective.history}"
    with trial(), report, KedroSession.create(job.project, env=job.env, runtime_params=params) as session:
        try:
            run: Any = session.run
            outputs = run(pipeline_names=[job.pipeline], to_outputs=[output], runner=runner)
        except UserError as error:
            report.fail(str(error))
            found.set_user_attr("error", str(error))
            raise TrialPruned(str(error)) from error
        if trial_stopped():
            report.tag("pruned", trial_stopped())
            raise TrialPruned(trial_stopped())
        value = job.objective.value(outputs[output].load())
        report.finish({"objective": value})
        return value


class ChildRun:
    """The run of MLflow of one trial, below that of the sweep: a context that ends it as the trial ends.

    Args:
        client: of the tracking server.
        parent: the run of the sweep.
        job: the sweep.
        found: the trial.
        settings: its parameters by dotted name.
        listener: a further one of what the training reports.
    """

    def __init__(
        self,
        client: Any,
        parent: Run,
        job: Job,
        found: Trial,
        settings: Mapping[str, Any],
        listener: TrialListener,
    ) -> None:
        from layerwise.tracking import open_child_run
        from layerwise.tracking.outbox import BufferedRunLogger, is_remote, outbox, records_file

        run_id = open_child_run(client, parent, f"trial {found.number}", {"trial": str(found.number)})
        found.set_user_attr("run_id", run_id)
        self.logger = BufferedRunLogger(
            client, run_id, records_file(outbox(job.project), run_id), in_background=is_remote(job.uri)
        )
        self.logger.log_params({name: str(value) for name, value in settings.items()})
        self.listeners = (self.logger, listener)
        self.status = "FINISHED"

    def __enter__(self) -> ChildRun:
        for each in self.listeners:
            run_context.add_listener(each)
        return self

    def tag(self, name: str, text: str) -> None:
        """Say something of the trial."""
        self.logger.log_tags({name: text[:500]})

    def fail(self, reason: str) -> None:
        """End as failed."""
        self.status = "FAILED"
        self.tag("error", (reason.splitlines() or [""])[0])

    def finish(self, metrics: Mapping[str, float]) -> None:
        """Log what the trial came to."""
        self.logger.log_metrics(metrics, None)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        from optuna import TrialPruned

        for each in self.listeners:
            run_context.remove_listener(each)
        if isinstance(error, WorkerStopped):
            self.status = "KILLED"
        elif error is not None and not isinstance(error, TrialPruned):
            self.status = "FAILED"
        self.logger.close(self.status)
