"""Kedro's settings: hooks, the configuration loader, and the process's environment."""

import atexit
import gc
import os
import sys
from pathlib import Path
from typing import Any

from kedro.config import OmegaConfigLoader

from layerwise.cli import ErrorMessageHook
from layerwise.tracking import ParameterChecksHook, TrackingHook
from layerwise.utils import parameter, problem, set_run_context

if sys.platform == "linux":
    # Kedro 1.7 runs nodes without their hooks in a spawned worker, and fails where it knows the package.
    os.environ.setdefault("KEDRO_MP_CONTEXT", "fork")
    # A forked worker must not share an open connection to the tracking database.
    os.environ.setdefault("MLFLOW_SQLALCHEMYSTORE_POOLCLASS", "NullPool")

# What is imported stays, and there is much of it: collecting through it again and again takes two seconds of a run.
gc.set_threshold(100_000, 50, 1000)
# The same at the end: the process's memory is freed as a whole, and collecting it first costs two seconds more.
atexit.register(gc.freeze)

# The last one is asked first.
HOOKS = (ParameterChecksHook(), TrackingHook(), ErrorMessageHook())


def _problem_name(project: Path, parameters: dict[str, Any], given: dict[str, Any] | None) -> str:
    """Return the run's problem: the environment's, or that of the model which the command names."""
    for pipeline in ("predict", "evaluate"):
        named = (given or {}).get(pipeline)
        model = named.get("model") if isinstance(named, dict) else None
        if isinstance(model, str) and model:
            from layerwise.tracking import find_model, tracking_uri

            return find_model(model, tracking_uri(project)).manifest.problem
    return str(parameters["problem"].get("name"))


def _kind_of_rows(entries: dict[str, Any]) -> str | None:
    """Return what kind of rows `raw` gives; None without such an entry, as of a project's base alone."""
    from layerwise.datasets import kind_of_entry

    return kind_of_entry(entries["raw"]) if "raw" in entries else None


class ProblemConfigLoader(OmegaConfigLoader):
    """Sets the problem before the catalog's paths are resolved, for Kedro-Viz too, which runs no hooks.

    A key of the parameters with nothing under it is read as empty, and all files are read once.
    """

    def __getitem__(self, key: str) -> dict[str, Any]:
        """Return a section of the configuration."""
        if key == "parameters" and key not in self:
            from layerwise.parameters import without_empty_keys

            self[key] = without_empty_keys(super().__getitem__(key))
        if key == "catalog":
            project, parameters = Path(self.conf_source).parent, self["parameters"]
            name = _problem_name(project, parameters, self.runtime_params)
            set_run_context(project, name, parameters)
            entries = self[key] = super().__getitem__(key)
            set_run_context(project, name, parameters, _kind_of_rows(entries))
        return super().__getitem__(key)


CONFIG_LOADER_CLASS = ProblemConfigLoader
CONFIG_LOADER_ARGS = {
    "base_env": "base",
    "default_run_env": "digits",
    # A problem says only what differs from the defaults.
    "merge_strategy": {"parameters": "soft"},
    "config_patterns": {"catalog": ["catalog*", "catalog*/**"]},
    # ${problem:} in the catalog's paths, ${parameter:predict.model} where an entry is named by the command.
    "custom_resolvers": {"problem": problem, "parameter": parameter},
}
