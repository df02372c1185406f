"""The error of rows that cannot be used."""

from layerwise.utils import UserError


class DataError(UserError, ValueError):
    """The rows cannot be used as they are; the message names the column, the value and what to do."""
