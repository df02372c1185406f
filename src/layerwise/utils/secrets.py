"""Passwords and keys of the environment and of addresses, masked in whatever is written or shown."""

from __future__ import annotations

import functools
import logging
import os
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

MASK = "***"
# Names of variables that hold a secret as a whole; of any other one the password of an address in it.
_SECRET_NAMES = re.compile(
    r"PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|CREDENTIAL|ACCESS_KEY|API_KEY|ACCOUNT_KEY|CONNECTION_STRING",
    re.IGNORECASE,
)
# `user:password@` of an address; a password may hold everything but what ends it.
_PASSWORD_IN_ADDRESS = re.compile(r"(?<=://)([^\s/:@'\"]*):([^\s/'\"]+)@")
# Of credentials that a file of the configuration holds.
_added: set[str] = set()
# What stands for a token of Google's storage, and is none.
_NO_SECRETS = ("anon", "browser", "cache", "cloud", "google_default")
# A shorter value would mask parts of words; a file's name is none.
_SHORTEST = 4


def mask_secrets(text: str) -> str:
    """Return a text without the passwords of addresses in it and without the environment's secrets.

    Secret are the password of every address (`postgresql://user:password@host`), the value of every environment
    variable whose name says so (`AWS_SECRET_ACCESS_KEY`, `MLFLOW_TRACKING_PASSWORD`, any `..._TOKEN`), and what
    `add_secrets` was given.
    """
    text = _PASSWORD_IN_ADDRESS.sub(rf"\1:{MASK}@", text)
    for secret in sorted(_secrets(), key=len, reverse=True):
        text = text.replace(secret, MASK)
    return text


def add_secrets(credentials: Mapping[str, Any]) -> None:
    """Have what is secret among credentials masked from now on: the values whose names say so, at any depth."""
    for name, value in credentials.items():
        if isinstance(value, Mapping):
            add_secrets(value)
        elif isinstance(value, str) and _SECRET_NAMES.search(name) and value not in _NO_SECRETS:
            _added.add(value)


@functools.cache
def _names_a_secret(name: str) -> bool:
    return _SECRET_NAMES.search(name) is not None


def _secrets() -> set[str]:
    found = set(_added)
    for name, value in os.environ.items():
        if _names_a_secret(name) and not os.path.exists(value):
            found.add(value)
        elif "://" in value:
            found.update(password for _, password in _PASSWORD_IN_ADDRESS.findall(value))
    found |= {unquote(secret) for secret in found}
    return {secret for secret in found if len(secret) >= _SHORTEST and secret != MASK}


def mask_secrets_in_logs() -> None:
    """Have all log records of this process, others' packages' too, masked from now on."""
    make_record = logging.getLogRecordFactory()
    if getattr(make_record, "masks_secrets", False):
        return

    def make_masked_record(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = make_record(*args, **kwargs)
        try:
            message = record.getMessage()
        except (TypeError, ValueError):  # of wrong arguments, which the handler reports
            return record
        masked = mask_secrets(message)
        if masked != message:
            record.msg, record.args = masked, ()
        if record.exc_info and record.exc_info[1]:
            shown = logging.Formatter().formatException(record.exc_info)
            if (masked := mask_secrets(shown)) != shown:
                record.exc_info, record.exc_text = None, masked
        return record

    make_masked_record.masks_secrets = True  # type: ignore[attr-defined]
    logging.setLogRecordFactory(make_masked_record)
