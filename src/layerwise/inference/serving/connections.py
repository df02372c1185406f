"""Connections that cost a server nothing: they are counted, and each has a time for its head, body and response.

uvicorn 0.54 has a time for idle connections alone; a client that sends its head a byte at a time would stay for ever.
"""

from __future__ import annotations

import asyncio
import functools
import json
from collections.abc import Callable
from typing import Any, cast

from uvicorn.config import Config as UvicornConfig

from layerwise.inference.serving.settings import ServerSettings

Address = tuple[str, int]


class Connections:
    """The open connections of a server, by the client's address."""

    def __init__(self, settings: ServerSettings) -> None:
        self.settings = settings
        self.open: dict[Address, GuardedConnection] = {}
        self.refused = 0

    def protocol(self, **arguments: Any) -> asyncio.Protocol:
        """Return what uvicorn makes of a new connection: its own protocol, guarded."""
        return GuardedConnection(self, _default_protocol()(**arguments))

    def of(self, scope: dict[str, Any]) -> GuardedConnection | None:
        """Return the connection that a request came by."""
        return self.open.get(tuple(scope.get("client") or ()))


async def _no_app(scope: Any, receive: Any, send: Any) -> None:
    """Answer nothing."""


@functools.cache
def _default_protocol() -> Callable[..., asyncio.Protocol]:
    """Return uvicorn's own protocol for HTTP, whichever of its two is installed."""
    plain = UvicornConfig(app=_no_app, log_config=None)
    plain.load()
    return plain.http_protocol_class


class GuardedConnection(asyncio.Protocol):
    """A connection that is cut when it takes too long.

    Args:
        connections: that it is one of.
        inner: the protocol that reads and writes.
    """

    def __init__(self, connections: Connections, inner: asyncio.Protocol) -> None:
        self.connections, self.inner = connections, inner
        self.transport: asyncio.Transport | None = None
        self._address: Address | None = None
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection if there are not too many, and begin to wait for a head."""
        self.transport = transport = cast("asyncio.Transport", transport)
        if len(self.connections.open) >= self.connections.settings.max_connections:
            self.connections.refused += 1
            text = json.dumps(
                {"error_code": "TOO_BUSY", "message": "the server has too many connections; try later"}
            )
            head = f"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nContent-Length: {len(text)}"
            transport.write(f"{head}\r\nConnection: close\r\nRetry-After: 1\r\n\r\n{text}".encode())
            transport.close()
            return
        self._address = tuple(transport.get_extra_info("peername")[:2])
        self.connections.open[self._address] = self
        self.expect_head()
        self.inner.connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._wait(None)
        if self._address is not None:
            del self.connections.open[self._address]
            self.inner.connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Hand on what was received."""
        if self._address is not None:
            self.inner.data_received(data)

    def eof_received(self) -> bool | None:
        """Hand on that nothing more will come."""
        return self.inner.eof_received() if self._address is not None else None

    def pause_writing(self) -> None:
        """Hand on that the client does not take what is written."""
        if self._address is not None:
            self.inner.pause_writing()

    def resume_writing(self) -> None:
        """Hand on that the client takes it again."""
        if self._address is not None:
            self.inner.resume_writing()

    def expect_head(self) -> None:
        """Cut the connection unless a request's head comes in time."""
        self._wait(self.connections.settings.header_seconds)

    def expect_body(self) -> None:
        """Leave the time of the body to who reads it."""
        self._wait(None)

    def expect_taking(self) -> None:
        """Cut the connection unless the response is taken in time."""
        self._wait(self.connections.settings.response_seconds)

    def _wait(self, seconds: float | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
        if seconds is not None and self.transport is not None:
            self._timer = asyncio.get_running_loop().call_later(seconds, self.transport.abort)
