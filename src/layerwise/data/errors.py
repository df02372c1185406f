"""What is wrong with the rows, in one message."""

from layerwise.utils.errors import UserError


class DataError(UserError, ValueError):
    """The rows cannot be used as they are; the message names the column, the value and the mend."""
