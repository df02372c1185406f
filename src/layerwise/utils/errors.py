"""Errors that the user can fix: shown as one message, without a traceback."""

from layerwise.utils.secrets import mask_secrets


class UserError(Exception):
    """The base of errors whose message names what is wrong and how to fix it, without any password."""

    def __str__(self) -> str:
        return mask_secrets(super().__str__())


class ResumeError(UserError, RuntimeError):
    """A run cannot go on from its checkpoints; the message says what differs."""


class FolderError(UserError, PermissionError):
    """A folder that the run needs cannot be written."""


def first_line(error: BaseException) -> str:
    """Return the reason in one line, before the data that Kedro's first line names where they cannot be used."""
    lines = str(error).splitlines() or [repr(error)]
    of_data = type(error).__module__.startswith("kedro.io") and error.__cause__ is not None
    return ": ".join(lines[1::-1] if of_data else lines[:1])
