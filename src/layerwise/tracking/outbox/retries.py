"""A client of the tracking server that asks again where the answer was that it cannot serve now."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from layerwise.tracking.outbox.failures import StoreFailure, store_failure

if TYPE_CHECKING:
    from mlflow import MlflowClient

log = logging.getLogger(__name__)
# Of a server whose every third answer is an error, one call of 700 fails as often as this.
PAUSES = (0.2, 0.4, 0.8, 1.6, 3.2)
# The kind of failure that passes by itself, so that asking again soon helps.
PASSING = ("busy",)
# Asked again they would make a second thing where the first was made and only its answer lost.
NOT_AGAIN = ("create_run", "create_logged_model", "create_model_version")


def try_again(
    call: Callable[[], Any], pauses: tuple[float, ...] = PAUSES, kinds: tuple[str, ...] = PASSING
) -> Any:
    """Do what a store may refuse for a moment, again after each pause where that may help; return its result.

    Args:
        call: what to do; its last error is raised.
        pauses: seconds before each further try.
        kinds: of failure that are worth it.
    """
    for k, pause in enumerate(pauses):
        try:
            return call()
        except Exception as error:
            failure = store_failure(error)
            if failure is None or failure.kind not in kinds:
                raise
            _wait(pause, failure, k)
    return call()


def _wait(pause: float, failure: StoreFailure, k: int) -> None:
    # A first wait is too short for anybody to wonder.
    log.log(
        logging.INFO if k else logging.DEBUG, "A store of this run: %s; asked again in %g s", failure, pause
    )
    time.sleep(pause)


class RetryingClient:
    """Passes every call on to a client, and asks again where the server cannot serve now.

    Args:
        client: of the tracking server.
        pauses: seconds before each further try.
    """

    def __init__(self, client: MlflowClient, pauses: tuple[float, ...] = PAUSES) -> None:
        self._client, self._pauses = client, pauses

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        if not callable(found) or name in NOT_AGAIN:
            return found
        return lambda *args, **kwargs: try_again(lambda: found(*args, **kwargs), self._pauses)


def retrying_client(uri: str) -> MlflowClient:
    """Return a client of a tracking server that asks again where the answer was that it cannot serve now."""
    from mlflow import MlflowClient

    return cast("MlflowClient", RetryingClient(MlflowClient(uri)))
