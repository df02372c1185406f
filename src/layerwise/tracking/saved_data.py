"""What saved data say of a run: metrics and tags, the rows it was measured on, and the networks that it trained."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerwise.evaluation.metrics import LoggedMetrics
from layerwise.tracking.environment import flatten, is_predictor, pipeline_of
from layerwise.utils import Config, report_metrics, report_tags

if TYPE_CHECKING:
    from kedro.io import CatalogProtocol
    from kedro.pipeline import Pipeline

    from layerwise.tracking.outbox import BufferedRunLogger


def without_open_sizes(used: Mapping[str, str], parameters: Mapping[str, Any]) -> dict[str, str]:
    """Return a run's parameters without those that the rows decide, which `sizes` has later: MLflow's never change."""
    settings = {key: value for key, value in parameters.items() if isinstance(value, Config)}
    left = {f"{key}.{name}" for key, value in settings.items() for name in value.left_to_rule}
    return {name: value for name, value in used.items() if name not in left}


def sizes(key: str, settings: Config) -> dict[str, str]:
    """Return the parameters of a key that a rule fills where they are null, as a run logs them."""
    return flatten({key: settings.model_dump(mode="json", include=set(settings.names_by_rule()))})


def report_saved(data: Any) -> None:
    """Report the metrics and tags of a saved data set; most have neither.

    `LoggedMetrics` are metrics themselves. An object that learns its counts while it is written, such as a stream of
    predictions, has them as the property `logged_metrics`. A typed object with tags has the method `run_tags`. Both
    are looked for in the class, since an attribute of a table may be one of its columns.
    """
    if hasattr(type(data), "run_tags"):
        report_tags(data.run_tags())
    metrics = _metrics_of(data)
    for step, values in metrics.by_step().items() if metrics is not None else ():
        report_metrics(values, step)


def _metrics_of(data: Any) -> LoggedMetrics | None:
    metrics = data.logged_metrics if hasattr(type(data), "logged_metrics") else data
    return metrics if isinstance(metrics, LoggedMetrics) else None


class SavedData:
    """Follow what a run saves, from the rows to its finished models.

    A network that its pipeline trains (`metadata: {mlflow: {model: true}}` in the catalog) becomes a model of the run
    when it is saved. It is pending while the metrics of the test rows are logged, which name it and the rows that
    they were measured on, and complete at the run's end.

    Args:
        run_logger: of the run.
        catalog: of the run.
        pipeline: what the run computes.
        problem: its name.
        several: whether the run has several pipelines, whose models have their names.
        resumed: whether the run may have models already.
    """

    def __init__(
        self,
        run_logger: BufferedRunLogger,
        catalog: CatalogProtocol[Any, Any],
        pipeline: Pipeline,
        problem: str,
        several: bool = False,
        resumed: bool = True,
    ) -> None:
        from layerwise.tracking.run_outputs import is_model

        self.run_logger, self._catalog, self.problem = run_logger, catalog, problem
        self.several = several
        # A call that is tried again may have made the model the first time.
        self._may_be_there = resumed
        self._outputs = pipeline.all_outputs()
        # A run that was stopped before its model card is an experiment: its network is no model.
        self._entries = [
            name
            for name in sorted(self._outputs)
            if is_model(catalog, name)
            and (not is_predictor(name) or self._has(name, "metrics", "model_card"))
        ]
        self._model_ids: dict[str, str] = {}
        # What its store did not take, in words.
        self.kept: list[str] = []
        self._datasets: dict[str, dict[str, str]] = {}

    def _has(self, name: str, *others: str) -> bool:
        pipeline = pipeline_of(name)
        return {f"{pipeline}.{other}" for other in others} <= self._outputs

    def on_node(self, name: str) -> None:
        """Say what the metrics that a node reports itself were measured on; `name` is of one of its outputs."""
        self.run_logger.set_measured_on(self._known(pipeline_of(name)))

    def on_saved(self, name: str, data: Any) -> None:
        """Take a data set that was saved, which most often says nothing of the run."""
        pipeline = pipeline_of(name)
        if name == f"{pipeline}.data_spec" and self._has(name, "split"):
            self.run_logger.log_datasets(self._describe_datasets(pipeline))
        if name in self._entries:
            self.run_logger.attempt(lambda: self._create_model(name, data))
        if _metrics_of(data) is not None:
            self.run_logger.set_measured_on(self._measured_on(pipeline))
        if hasattr(type(data), "child_runs"):
            self.run_logger.attempt(lambda: self._log_children(name, data))
        if name.endswith("_settings") and isinstance(data, Config):
            self.run_logger.log_params(sizes(name.partition(".")[2].removesuffix("_settings"), data))
        report_saved(data)

    def _log_children(self, name: str, data: Any) -> None:
        from layerwise.tracking.runs import log_child_runs

        log_child_runs(self.run_logger.client, self.run_logger.run_id, data.child_runs, name)

    def _describe_datasets(self, pipeline: str) -> list[dict[str, str]]:
        from layerwise.tracking.input_datasets import describe_datasets

        data_spec, split = (self._catalog.load(f"{pipeline}.{name}") for name in ("data_spec", "split"))
        found = describe_datasets(data_spec, split, self.problem)
        self._datasets[pipeline] = next((each for each in found if each["context"] == "testing"), {})
        return found

    def _create_model(self, entry: str, network: Any) -> None:
        from layerwise.tracking.model_logging import create_model

        client, run_id = self.run_logger.client, self.run_logger.run_id
        kind, name = self._kind_and_name(entry, network)
        is_new, self._may_be_there = not self._may_be_there, True
        self._model_ids[entry] = create_model(client, run_id, entry, kind, name, is_new)
        self._may_be_there = not is_new

    def _kind_and_name(self, entry: str, network: Any) -> tuple[str, str]:
        """Return a network's kind and the name of its model in the run."""
        kind = str(getattr(getattr(network, "config", None), "kind", ""))
        pipeline, _, name = entry.partition(".")
        # What predicts raw rows has the name by which `runs:/<run id>/model` finds it.
        name = "model" if is_predictor(entry) else name
        return kind, f"{pipeline}_{name}" if self.several else name

    def _measured_on(self, pipeline: str) -> dict[str, str]:
        """Return the model and the test rows of a pipeline, as far as there are any."""
        described = [f"{pipeline}.{name}" for name in ("data_spec", "split")]
        # Another worker process may have saved them; a node that reads no rows may run before they are there.
        if pipeline not in self._datasets and all(
            name in self._outputs and self._catalog.exists(name) for name in described
        ):
            self._describe_datasets(pipeline)
        entries = [each for each in self._entries if each.startswith(f"{pipeline}.")]
        if any(each not in self._model_ids for each in entries):
            self.run_logger.attempt(self._find_models)
        return self._known(pipeline)

    def _known(self, pipeline: str) -> dict[str, str]:
        dataset = self._datasets.get(pipeline, {})
        found = {f"dataset_{name}": dataset[name] for name in ("name", "digest") if name in dataset}
        ids = [model_id for each, model_id in self._model_ids.items() if each.startswith(f"{pipeline}.")]
        return found | ({"model_id": ids[0]} if ids else {})

    def _find_models(self) -> None:
        from layerwise.tracking.model_logging import pending_models

        self._model_ids |= pending_models(self.run_logger.client, self.run_logger.run_id)

    def complete_models(self, project: Path) -> dict[str, Any]:
        """Store the run's networks as models; return by pipeline the metrics of those that predict raw rows."""
        if any(entry not in self._model_ids for entry in self._entries):
            self.run_logger.attempt(self._find_models)
        metrics: dict[str, Any] = {}
        for entry in self._entries:
            last = "model_card" if is_predictor(entry) else "figure_learning_curves"
            if self._has(entry, "preprocessor", "split", "input_example", last):
                found = self._complete_model(entry, project)
                if is_predictor(entry):
                    metrics[pipeline_of(entry)] = found
            elif entry in self._model_ids:
                self._complete_network(entry)
        return metrics

    def _complete_model(self, entry: str, project: Path) -> dict[str, Any]:
        """Store a network that takes raw rows; return its metrics."""
        from layerwise.tracking.logged_models import save_model_folder
        from layerwise.tracking.model_logging import submission_of, submit
        from layerwise.tracking.outbox import keep_model

        pipeline, _, name = entry.partition(".")
        own = "stack_model" if name == "stack" else "model"
        folder = project / "data/06_models" / self.problem / pipeline / own
        run_logger, catalog = self.run_logger, self._catalog
        saved = save_model_folder(folder, run_logger.run_id, catalog, entry, self.problem, self._outputs)
        submission = submission_of(catalog, saved, *self._kind_and_name(entry, catalog.load(entry)))

        def complete() -> None:
            self._model_ids[entry] = submit(run_logger.client, submission, self._model_ids.get(entry))

        if not run_logger.attempt(complete):
            keep_model(run_logger.hold(), run_logger.uri, submission)
            self.kept.append("the model")
        return saved.manifest.metrics

    def _complete_network(self, entry: str) -> None:
        from layerwise.tracking.model_logging import complete_network
        from layerwise.tracking.run_outputs import entry_path

        names = {"network": entry, "preprocessor": f"{entry.partition('.')[0]}.preprocessor"}
        paths = {
            each: entry_path(self._catalog, name) for each, name in names.items() if name in self._outputs
        }
        folders = {each: path for each, path in paths.items() if path is not None}
        client, model_id = self.run_logger.client, self._model_ids[entry]
        if not self.run_logger.attempt(lambda: complete_network(client, model_id, folders)):
            del self._model_ids[entry]  # it stays one of the run's outputs

    def describe(self, text: str) -> None:
        """Set the description of the run, and of its models."""
        self.run_logger.log_tags({"mlflow.note.content": text})
        for model_id in self._model_ids.values():
            self.run_logger.client.set_logged_model_tags(model_id, {"mlflow.note.content": text})

    def log_outputs(self, names: Collection[str], data: Path) -> None:
        """Keep a copy of the run's outputs with the run, since the next one of this problem and pipeline replaces them.

        Args:
            names: of the run's entries; those that its models hold need no second copy.
            data: the project's data folder.
        """
        from layerwise.tracking.outbox import keep_outputs
        from layerwise.tracking.run_outputs import copy_outputs, log_outputs

        pipelines = {pipeline_of(entry) for entry in self._model_ids}
        in_models = {*self._model_ids, *(f"{pipeline}.preprocessor" for pipeline in pipelines)}
        run_logger, catalog, names = self.run_logger, self._catalog, set(names) - in_models
        client, run_id = run_logger.client, run_logger.run_id
        if not run_logger.attempt(lambda: log_outputs(client, run_id, catalog, names, data)):
            keep_outputs(
                run_logger.hold(), run_logger.uri, lambda into: copy_outputs(catalog, names, data, into)
            )
            self.kept.append("its outputs")

    def give_up(self) -> None:
        """Mark the models of a run that did not finish as failed."""
        from layerwise.tracking.model_logging import give_up_models

        if self._model_ids or self._may_be_there:
            self.run_logger.attempt(lambda: give_up_models(self.run_logger.client, self.run_logger.run_id))
