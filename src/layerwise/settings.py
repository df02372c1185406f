"""Kedro's settings: hooks and the configuration loader."""

from pathlib import Path
from typing import Any

from kedro.config import MissingConfigException, OmegaConfigLoader

from layerwise.cli import ErrorMessageHook, configuration_error
from layerwise.tracking import ParameterChecksHook, ProblemHook, ProcessHook, TrackingHook
from layerwise.utils import UserError, parameter, problem, set_run_context

# Kedro calls them from the last to the first, but for methods that are marked `tryfirst` or `trylast`.
HOOKS = (ProblemHook(), ParameterChecksHook(), TrackingHook(), ErrorMessageHook(), ProcessHook())


def _kind_of_rows(entries: dict[str, Any]) -> str | None:
    """Return what kind of rows `raw` gives; None without such an entry, as of a project's base alone."""
    from layerwise.datasets import kind_of_entry

    return kind_of_entry(entries["raw"]) if "raw" in entries else None


def _input_entries(entries: dict[str, Any], parameters: dict[str, Any]) -> dict[str, Any]:
    """Return the entries of the rows that are to be predicted or evaluated, where they name another entry."""
    found = {}
    for pipeline in ("predict", "evaluate"):
        settings = parameters.get(pipeline) or {}
        name = settings.get("input")
        if isinstance(name, str) and name in entries and not Path(name).exists():
            found[f"{pipeline}.rows"] = {
                "type": "layerwise.datasets.EntryRowsDataset",
                "name": name,
                "dataset": entries[name],
                "chunk_rows": settings.get("chunk_rows"),
                "metadata": entries[f"{pipeline}.rows"].get("metadata"),
            }
    return found


class ProblemConfigLoader(OmegaConfigLoader):
    """Sets the problem before the catalog's paths are resolved, for Kedro-Viz too, which runs no hooks.

    A key of the parameters with nothing under it is read as empty, and all files are read once.
    """

    # The problem of the trained model that the command names, which takes the place of the environment's.
    model_problem: str | None = None
    # The project's folder, which is not the configuration's own where `--conf-source` names another one.
    project: Path | None = None

    def __getitem__(self, key: str) -> dict[str, Any]:
        """Return a section of the configuration.

        Raises:
            ConfigurationError: a file cannot be read.
        """
        try:
            return self._section(key)
        except MissingConfigException:  # of a section that has no file, such as the credentials
            raise
        except Exception as error:
            folders = [
                Path(self.conf_source, env) for env in (self.base_env, self.env or self.default_run_env)
            ]
            fault = None if isinstance(error, UserError) else configuration_error(error, folders)
            if fault is None:
                raise
            raise fault from None

    def _section(self, key: str) -> dict[str, Any]:
        if key == "parameters" and key not in self:
            from layerwise.parameters import without_empty_keys

            self[key] = without_empty_keys(super().__getitem__(key))
        if key == "catalog":
            project, parameters = self.project or Path(self.conf_source).parent, self["parameters"]
            name = self.model_problem or str(parameters["problem"].get("name"))
            set_run_context(project, name, parameters)
            entries = self[key] = super().__getitem__(key)
            set_run_context(project, name, parameters, _kind_of_rows(entries))
            if "raw" in entries:
                from layerwise.datasets import with_origin

                entries["raw"] = with_origin(entries["raw"])
                if "validator" in entries["raw"] and parameter("compute.out_of_core"):
                    raise UserError(
                        "compute.out_of_core: a validator looks at a table in memory: leave it out of raw in "
                        "catalog.yml"
                    )
            entries.update(_input_entries(entries, parameters))
            more = parameters["problem"].get("unlabelled")
            if more and "raw" in entries:
                from layerwise.datasets import entry_like_raw

                entries["unlabelled_source"] = entry_like_raw(entries, str(more), project)
        return super().__getitem__(key)


CONFIG_LOADER_CLASS = ProblemConfigLoader
CONFIG_LOADER_ARGS = {
    "base_env": "base",
    "default_run_env": "digits",
    # A problem says only what differs from the defaults.
    "merge_strategy": {"parameters": "soft"},
    "config_patterns": {"catalog": ["catalog*", "catalog*/**"], "sweep": ["sweep*"]},
    # ${problem:} in the catalog's paths, ${parameter:predict.model} where an entry is named by the command.
    "custom_resolvers": {"problem": problem, "parameter": parameter},
}
