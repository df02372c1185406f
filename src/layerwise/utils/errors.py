"""Errors that the user can fix: shown as one message, without a traceback."""


class UserError(Exception):
    """The base of errors whose message names what is wrong and how to fix it."""


class ResumeError(UserError, RuntimeError):
    """A run cannot go on from its checkpoints; the message says what differs."""


class FolderError(UserError, PermissionError):
    """A folder that the run needs cannot be written."""
