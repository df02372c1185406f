"""What the user can mend: shown as one message, without a traceback."""


class UserError(Exception):
    """The base of errors whose message names what is wrong and how to mend it."""
