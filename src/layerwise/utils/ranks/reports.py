"""What rank 0 reports and logs, sent to the process that started the ranks."""

from __future__ import annotations

import contextvars
import logging
import secrets
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from multiprocessing.connection import Client, Connection, Listener
from typing import Any

from layerwise.utils import run_context

# Where to send to: a name that this computer alone knows, and a key.
Address = tuple[Any, bytes]


@contextmanager
def received_reports() -> Iterator[Address]:
    """Report and log here what `forwarded_reports` sends to the address; an epoch that comes again does so once."""
    key = secrets.token_bytes(32)
    with Listener(authkey=key) as listener:
        # In this context, which says what begins the names of a node's metrics.
        receive = contextvars.copy_context().run
        threading.Thread(target=receive, args=(_receive, listener), daemon=True).start()
        yield listener.address, key


def _receive(listener: Listener) -> None:
    seen: set[tuple[str, int]] = set()
    with suppress(OSError, EOFError):
        while True:
            with listener.accept() as connection, suppress(EOFError, ConnectionError):
                while True:
                    connection.send(_take(connection.recv(), seen))


def _take(message: tuple[str, Any], seen: set[tuple[str, int]]) -> Exception | None:
    """Hand a message on; return the error of what took it."""
    kind, content = message
    try:
        if kind == "metrics":
            metrics, step = content
            new = {name: value for name, value in metrics.items() if (name, step) not in seen}
            seen |= {(name, step) for name in new if step is not None}
            run_context.report_metrics(new, step)
        elif kind == "tags":
            run_context.report_tags(content)
        elif kind == "flush":
            run_context.flush_reports()
        else:
            logging.getLogger(content.name).handle(content)
    except Exception as error:
        return error
    return None


class _Sender:
    """A listener that sends what is reported, and waits until it has been taken."""

    def __init__(self, connection: Connection) -> None:
        self.connection, self.one_at_a_time = connection, threading.RLock()

    def send(self, kind: str, content: Any = None) -> None:
        """Send a message; raise the error of what took it."""
        with self.one_at_a_time:
            self.connection.send((kind, content))
            error = self.connection.recv()
        if error is not None:
            raise error

    def log_metrics(self, metrics: Mapping[str, float], step: int | None) -> None:
        self.send("metrics", (dict(metrics), step))

    def log_tags(self, tags: Mapping[str, str]) -> None:
        self.send("tags", dict(tags))

    def flush(self) -> None:
        self.send("flush")


class _LogSender(logging.Handler):
    """Sends records of the log, with their text made here."""

    def __init__(self, sender: _Sender) -> None:
        super().__init__()
        self.sender = sender

    def emit(self, record: logging.LogRecord) -> None:
        """Send a record."""
        record.msg, record.args, record.exc_info = record.getMessage(), None, None
        self.sender.send("log", record)


@contextmanager
def forwarded_reports(address: Address, rank: int, level: int) -> Iterator[None]:
    """Send to the address what rank 0 reports and logs; the others, which would say the same, say nothing."""
    logger = logging.getLogger("layerwise")
    logger.propagate = False
    if rank:
        logger.addHandler(logging.NullHandler())
        yield
        return
    place, key = address
    with Client(place, authkey=key) as connection:
        sender = _Sender(connection)
        run_context.add_listener(sender)
        logger.addHandler(_LogSender(sender))
        logger.setLevel(level)
        try:
            yield
        finally:
            logger.handlers.clear()
            run_context.remove_listener(sender)
