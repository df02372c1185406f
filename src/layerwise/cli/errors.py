"""How errors are shown on the command line: one that the user can correct as its message alone."""

from __future__ import annotations

import errno
import sys
import traceback
from typing import Any

from kedro.framework.hooks import hook_impl
from kedro.io import DatasetError

from layerwise.utils import UserError, mask_secrets, mask_secrets_in_logs

# By the system's number: what helps where a file cannot be opened, be it to read or to write it.
FIXES = {
    errno.ENOSPC: "its disk is full: make room",
    errno.EDQUOT: "its disk is full: make room",
    errno.EROFS: "its disk may only be read: write to another one",
    errno.EACCES: "give yourself the right to it",
    errno.EPERM: "give yourself the right to it",
}


class ErrorMessageHook:
    """Shows user errors as their message alone, from the moment that a session knows its project."""

    @hook_impl(tryfirst=True)
    def after_context_created(self) -> None:
        """Replace Python's handler of uncaught errors."""
        show_user_errors_as_messages()
        mask_secrets_in_logs()


def show_user_errors_as_messages() -> None:
    """Show an uncaught error that the user can correct as its message alone; any other keeps its traceback."""
    previous = sys.excepthook
    if getattr(previous, "shows_user_errors_as_messages", False):
        return

    def hook(kind: type[BaseException], error: BaseException, trace: Any) -> None:
        if not is_user_error(error):
            shown = "".join(traceback.format_exception(kind, error, trace))
            if (masked := mask_secrets(shown)) == shown:
                previous(kind, error, trace)
            else:
                sys.stderr.write(masked)
            return
        from rich.console import Console

        Console(stderr=True, soft_wrap=True, highlight=False).print(
            mask_secrets(f"Error: {_message(error)}"), style="bold red", markup=False
        )

    hook.shows_user_errors_as_messages = True  # type: ignore[attr-defined]
    sys.excepthook = hook


def _message(error: BaseException) -> str:
    if not _is_of_a_config(error):
        fix = _file_fix(error)
        return f"{error}: {fix}" if fix else str(error)
    reasons = [
        ": ".join([*map(str, each["loc"]), each["msg"].removeprefix("Value error, ")])
        for each in error.errors()  # type: ignore[attr-defined]
    ]
    return f"{error.title}: {'; '.join(reasons)}"  # type: ignore[attr-defined]


def _file_fix(error: BaseException) -> str:
    """Return what helps where one of Kedro's own datasets could not open its file, which its message names.

    The project's errors say it themselves.
    """
    at: BaseException | None = error
    while isinstance(at, DatasetError) and not isinstance(at, UserError):
        at = at.__cause__
    return FIXES.get(at.errno or 0, "") if isinstance(at, OSError) and not isinstance(at, UserError) else ""


def _is_of_a_config(error: BaseException) -> bool:
    """Return whether settings do not go together to a network, as is found when it is built."""
    ours = str(getattr(error, "title", "")).endswith(("Config", "Settings"))
    return type(error).__module__.startswith("pydantic") and ours


def is_user_error(error: BaseException) -> bool:
    """Return whether an error is a sentence for the user, and no defect of the program."""
    if _is_of_a_config(error):
        return True
    # Kedro's own errors about data, configuration and validation say what is wrong too.
    if type(error).__module__.startswith(("kedro.io", "kedro.validation", "kedro.config")):
        return True
    unknown_pipeline = isinstance(error, ValueError) and "find the pipeline named" in str(error)
    return isinstance(error, UserError) or unknown_pipeline
