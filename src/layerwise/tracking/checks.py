"""The hook that checks environment, parameters and folders before any node runs."""

from __future__ import annotations

import logging
import tarfile
import tempfile
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from kedro.framework.hooks import hook_impl

from layerwise.parameters import (
    ParameterError,
    check_parameters,
    given_parameters,
    groups_read,
    require_streamed,
    unread_in_part,
    unread_setting,
)
from layerwise.utils import FolderError, nearest, run_part

if TYPE_CHECKING:
    from kedro.framework.context import KedroContext
    from kedro.io import CatalogProtocol
    from kedro.pipeline import Pipeline

# Pipelines that run with no other one.
ALONE = ("predict", "evaluate")
# Options of `kedro run` that take a part of a pipeline.
PARTS = ("tags", "node_names", "from_nodes", "to_nodes", "from_inputs", "to_outputs", "namespaces")


def _format_warning(
    message: Warning | str, category: type[Warning], filename: str, lineno: int, line: str | None = None
) -> str:
    """Format a warning of this package for its reader; any other one as Python does."""
    if Path(__file__).parents[1] in Path(filename).parents:
        return str(message)
    return f"{filename}:{lineno}: {category.__name__}: {message}"


def _environments(conf_source: str) -> list[str]:
    """Return the environments in a folder of configuration, or in an archive of one; none where it is elsewhere."""
    if conf_source.endswith(".tar.gz"):
        with tarfile.open(conf_source) as archive:
            files = [PurePosixPath(name).parts for name in archive.getnames()]
    elif conf_source.endswith(".zip"):
        with zipfile.ZipFile(conf_source) as archive_file:
            files = [PurePosixPath(name).parts for name in archive_file.namelist()]
    else:
        folder = Path(conf_source)
        files = [
            (folder.name, each.name, "")
            for each in (folder.iterdir() if folder.is_dir() else ())
            if each.is_dir()
        ]
    return sorted({parts[1] for parts in files if len(parts) > 2})


class ParameterChecksHook:
    """Check a session's environment, parameters and folders."""

    @hook_impl(tryfirst=True)
    def after_context_created(self, context: KedroContext) -> None:
        """Check the environment and the parameters."""
        loader: Any = context.config_loader
        known = _environments(str(loader.conf_source))
        if known and context.env not in (None, *known):
            problems = [name for name in known if name != "base"]
            raise ParameterError(f"unknown environment '{context.env}'{nearest(str(context.env), problems)}")
        self._parameters = check_parameters(dict(context.config_loader["parameters"]))
        warnings.formatwarning = _format_warning
        # Kedro repeats in a line of its own what every wrong parameter's message says, and names every type it reads.
        logging.getLogger("kedro.validation").setLevel(logging.ERROR)
        self._project = Path(context.project_path)

    @hook_impl
    def before_pipeline_run(
        self, run_params: dict[str, Any], pipeline: Pipeline, catalog: CatalogProtocol[Any, Any]
    ) -> None:
        """Check that the pipelines go together, read rows where these are, and that the data folder can be written."""
        from layerwise.parameters import segments_without_table  # with the rules comes torch

        names = sorted(run_params.get("pipeline_names") or [])
        of_model = names and set(names) <= set(ALONE)  # they have the problem of a trained model
        if not of_model and (wrong := segments_without_table(self._parameters)):
            raise ParameterError(f"wrong parameters: {wrong}")
        require_streamed(self._parameters["compute"], pipeline.datasets())
        self._require_read(names, pipeline, any(run_params.get(part) for part in PARTS), catalog)
        for name in ALONE if len(names) > 1 else ():
            if name in names:
                raise ParameterError(
                    f"{name} takes its problem from a trained model, the other pipelines theirs from the environment: "
                    f"run --pipelines={name} in a command of its own, and {', '.join(n for n in names if n != name)} "
                    "in another"
                )
        folder = self._project / "data"
        try:
            folder.mkdir(exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                pass
        except OSError as error:
            raise FolderError(
                f"{folder} cannot be written ({error.strerror}); give yourself the right, make room, or run in a "
                "copy of the project"
            ) from error

    def _require_read(
        self, names: list[str], pipeline: Pipeline, is_part: bool, catalog: CatalogProtocol[Any, Any]
    ) -> None:
        """Refuse a setting of the command line that no node of the run reads."""
        if not (given := given_parameters.get()):
            return
        read, wrong = groups_read(pipeline.inputs()), ""
        if not is_part:
            wrong = unread_setting(given, read, self._parameters)
        elif not run_part().run_id:  # a job of a run has the parameters of all its jobs
            from kedro.framework.project import pipelines

            whole = sum((pipelines[name] for name in names or ["__default__"]), start=type(pipeline)([]))
            before = whole.to_nodes(*(node.name for node in pipeline.nodes)) - pipeline
            stored = self._groups_stored(before.all_outputs(), catalog)
            given = {group: settings for group, settings in given.items() if group not in stored}
            wrong = unread_in_part(
                given, read, {node.name: groups_read(node.inputs) for node in before.nodes}
            )
        if wrong:
            raise ParameterError(wrong)

    def _groups_stored(self, entries: set[str], catalog: CatalogProtocol[Any, Any]) -> set[str]:
        """Return the groups of which the settings of an earlier run, among these entries, have what is given now."""
        found = set()
        for group, given in given_parameters.get().items():
            entry = next((name for name in entries if name.endswith(f".{group}_settings")), "")
            if isinstance(given, Mapping) and entry and catalog.exists(entry):
                stored, asked = catalog.load(entry), self._parameters[group]
                if all(getattr(stored, name, None) == getattr(asked, name, None) for name in given):
                    found.add(group)
        return found
