"""What is wrong with a command is said before any node runs: parameters, problems, folders."""

from __future__ import annotations

import logging
import sys
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kedro.framework.hooks import hook_impl

from layerwise.configuration import nearest
from layerwise.errors import UserError

if TYPE_CHECKING:
    from kedro.framework.context import KedroContext


class ParameterError(UserError, ValueError):
    """A parameter has a wrong name, type or value."""


class FolderError(UserError, PermissionError):
    """A folder that the run needs cannot be written."""


def check_parameters(parameters: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters as their models, top-level key by top-level key.

    Kedro does the same for what a pipeline's nodes ask for; this also finds a key that no node asks for because
    its name is misspelt.

    Raises:
        ParameterError: one message that lists every wrong name and value.
    """
    from pydantic import TypeAdapter, ValidationError

    from layerwise.parameters import PARAMETERS, disagreements

    wrong = [
        f"unknown parameter '{key}'{nearest(key, list(PARAMETERS))}"
        for key in parameters
        if key not in PARAMETERS
    ]
    right = {}
    for key, kind in PARAMETERS.items():
        if key not in parameters:
            wrong.append(f"{key} is missing: conf/base/parameters.yml has its default")
            continue
        try:
            right[key] = TypeAdapter(kind).validate_python(parameters[key])
        except ValidationError as error:
            for each in error.errors():
                at = ".".join([key, *map(str, each["loc"])])
                given = "" if isinstance(each["input"], dict) else f" (given: {each['input']!r})"
                wrong.append(f"{at}: {each['msg'].removeprefix('Value error, ')}{given}")
    wrong = wrong or disagreements(right)
    if wrong:
        raise ParameterError("wrong parameters: " + "; ".join(wrong))
    return right


def show_message_alone() -> None:
    """Show an error that the user can mend as its message; any other keeps its traceback."""
    previous = sys.excepthook
    if getattr(previous, "shows_message_alone", False):
        return

    def hook(kind: type[BaseException], error: BaseException, trace: Any) -> None:
        if not _is_for_the_user(error):
            previous(kind, error, trace)
            return
        from rich.console import Console

        Console(stderr=True, soft_wrap=True, highlight=False).print(
            f"Error: {error}", style="bold red", markup=False
        )

    hook.shows_message_alone = True  # type: ignore[attr-defined]
    sys.excepthook = hook


def _message_alone(
    message: Warning | str, category: type[Warning], filename: str, lineno: int, line: str | None = None
) -> str:
    """Format a warning of this package for its reader; any other one as Python does."""
    if Path(__file__).parent in Path(filename).parents:
        return str(message)
    return f"{filename}:{lineno}: {category.__name__}: {message}"


def _is_for_the_user(error: BaseException) -> bool:
    # Kedro's own errors about data, configuration and validation say what is wrong too.
    if type(error).__module__.startswith(("kedro.io", "kedro.validation", "kedro.config")):
        return True
    unknown_pipeline = isinstance(error, ValueError) and "find the pipeline named" in str(error)
    return isinstance(error, UserError) or unknown_pipeline


class GuardHook:
    """Check a session's environment, parameters and folders."""

    @hook_impl(tryfirst=True)
    def after_context_created(self, context: KedroContext) -> None:
        """Check the environment and the parameters."""
        show_message_alone()
        project = Path(context.project_path)
        known = sorted(p.name for p in (project / "conf").iterdir() if p.is_dir() and p.name != "base")
        if context.env not in (None, "base") and context.env not in known:
            raise ParameterError(f"unknown environment '{context.env}'{nearest(str(context.env), known)}")
        check_parameters(dict(context.config_loader["parameters"]))
        warnings.formatwarning = _message_alone
        # Kedro repeats in a line of its own what every wrong parameter's message says, and names every type it reads.
        logging.getLogger("kedro.validation").setLevel(logging.ERROR)
        self._project = project

    @hook_impl
    def before_pipeline_run(self) -> None:
        """Check that the data folder can be written."""
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
