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
