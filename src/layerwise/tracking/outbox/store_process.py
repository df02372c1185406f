"""A process beside the command's own that speaks with MLflow, whose import takes longer than that of torch.

A command that answers a few rows spends nearly all of its seconds on imports, and threads cannot share them. So it is
forked before either is imported: it imports MLflow while the command imports torch, and does then what it is asked.
Where there is none, what it would be asked is done here.
"""

from __future__ import annotations

import atexit
import logging
import os
import pickle
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache, wraps
from itertools import pairwise
from multiprocessing import Pipe
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, ParamSpec, TypeVar

from layerwise.tracking.environment import configure_mlflow
from layerwise.tracking.outbox.failures import store_failure
from layerwise.tracking.outbox.retries import retrying_client
from layerwise.utils import UserError, delay_signals

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from mlflow import MlflowClient

P = ParamSpec("P")
R = TypeVar("R")
log = logging.getLogger(__name__)


class EndedError(Exception):
    """The process has ended."""


class StoreProcess:
    """A process that has MLflow, asked by one other.

    Args:
        uri: of the tracking server.
        number: of the process.
        connection: to it.
    """

    def __init__(self, uri: str, number: int, connection: Connection) -> None:
        self.uri, self._number, self._connection = uri, number, connection
        self._owner, self._lock, self._is_usable = os.getpid(), threading.Lock(), True
        atexit.register(self.end)

    def is_usable(self) -> bool:
        """Return whether it can be asked; a forked worker shares the connection with its parent, which has it."""
        return self._is_usable and os.getpid() == self._owner

    def ask(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Return what a function returns there, or raise what it raises; an EndedError: it has died."""
        with self._lock, delay_signals():
            # Until it has answered: a call that was cut leaves half an answer behind.
            self._is_usable = False
            try:
                self._connection.send_bytes(pickle.dumps((function, args, kwargs)))
                result, errors = pickle.loads(self._connection.recv_bytes())
            except (EOFError, OSError) as error:
                raise EndedError from error
            self._is_usable = True
        if errors:
            for each, cause in pairwise(errors):
                each.__cause__ = cause
            raise errors[0]
        return result

    def end(self) -> None:
        """End it, whatever it does: nothing that was asked is under way."""
        if os.getpid() != self._owner:
            return
        self._is_usable = False
        self._connection.close()
        with suppress(OSError):
            os.kill(self._number, signal.SIGKILL)
            os.waitpid(self._number, 0)


_processes: list[StoreProcess] = []


def start_store_process(uri: str) -> None:
    """Start a process that has MLflow, where that is of use: there is a core for it, and no thread yet.

    Args:
        uri: of the tracking server, which has runs already.
    """
    is_new = uri.startswith("sqlite:///") and not Path(uri.removeprefix("sqlite:///")).exists()
    if sys.platform != "linux" or is_new or len(os.sched_getaffinity(0)) < 2:
        return
    # A process of several threads, as torch and NumPy start some, is not to be forked.
    if len(list(Path("/proc/self/task").iterdir())) > 1:
        return
    sys.stdout.flush()
    sys.stderr.flush()
    here, there = Pipe()
    number = os.fork()
    if not number:
        here.close()
        _answer(uri, there)
    there.close()
    _processes[:] = [StoreProcess(uri, number, here)]


def _answer(uri: str, connection: Connection) -> NoReturn:
    """Do what is asked until the other side ends."""
    try:
        # The command says what becomes of a run that is cut off.
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, signal.SIG_IGN)
        configure_mlflow()
        with suppress(Exception):  # what is wrong with the store is said when it is asked
            _own_client(uri)
        while True:
            function, args, kwargs = pickle.loads(connection.recv_bytes())
            try:
                answer = pickle.dumps((function(*args, **kwargs), []))
            except Exception as error:
                answer = pickle.dumps((None, [portable(each) for each in _causes(error)]))
            connection.send_bytes(answer)
    except BaseException:
        os._exit(0)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and what led to it, a few at most."""
    for _ in range(5):
        if error is None:
            return
        yield error
        if isinstance(error, UserError):  # its sentence says all, and what led to it is MLflow's
            return
        error = error.__cause__ or error.__context__


def portable(error: BaseException) -> BaseException:
    """Return an error that another process can read, of the same words and as much a store's."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return (RuntimeError if store_failure(error) is None else ConnectionError)(str(error))
    return error


@cache
def _own_client(uri: str) -> MlflowClient:
    return retrying_client(uri)


class ClientBeside:
    """The client of a store process: its methods are called there, and what takes it is best done there.

    Args:
        tracking_uri: of the tracking server.
    """

    def __init__(self, tracking_uri: str) -> None:
        self.tracking_uri = tracking_uri

    def __reduce__(self) -> tuple[Any, ...]:
        return _own_client, (self.tracking_uri,)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        client: Any = self
        return lambda *args, **kwargs: _call(client, name, *args, **kwargs)


def where_mlflow_is(function: Callable[P, R]) -> Callable[P, R]:
    """Have a function of a module's top, which may take a client, called in the store process if there is one.

    What it takes and returns is copied.
    """

    @wraps(function)
    def called(*args: P.args, **kwargs: P.kwargs) -> R:
        for process in _processes:
            if process.is_usable():
                # What died with its process is done here.
                with suppress(EndedError):
                    found: R = process.ask(called, *args, **kwargs)
                    return found
        own: Any = [
            _own_client(each.tracking_uri) if isinstance(each, ClientBeside) else each for each in args
        ]
        return function(*own, **kwargs)

    return called


@where_mlflow_is
def _call(client: MlflowClient, name: str, *args: Any, **kwargs: Any) -> Any:
    return getattr(client, name)(*args, **kwargs)


def store_client(uri: str) -> MlflowClient:
    """Return a client of a tracking server: of the store process, where there is one for it."""
    if any(each.uri == uri and each.is_usable() for each in _processes):
        client: Any = ClientBeside(uri)
        return client
    return retrying_client(uri)


def has_store_process() -> bool:
    """Return whether MLflow is asked in a process beside this one."""
    return any(each.is_usable() for each in _processes)
