"""A trained model over HTTP: the routes and responses of MLflow's scoring server, and one sentence for what is wrong.

GET  /ping, /health   200 once the model is loaded
GET  /version         MLflow's version, as its own server says it
POST /invocations     predictions for a table, as JSON or CSV (`layerwise.inference.serving.request_body`)
GET  /metrics         counts and times for Prometheus, where the settings say so
GET  /openapi.json    what is taken and answered, where the settings say so

There is no page of documentation. The application is plain ASGI: a framework would cost more
time than a row's answer.
"""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Awaitable, Callable
from importlib.metadata import version
from typing import Any

import uvicorn

from layerwise.inference.model import TrainedModel
from layerwise.inference.serving.connections import Connections
from layerwise.inference.serving.monitoring import RequestMonitor
from layerwise.inference.serving.openapi import describe_server
from layerwise.inference.serving.request_queue import RequestQueue
from layerwise.inference.serving.responses import JSON, Response, respond
from layerwise.inference.serving.row_log import RowLog
from layerwise.inference.serving.settings import ServerSettings
from layerwise.utils import UserError

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class AddressError(UserError, OSError):
    """The server cannot listen where it was told to; the message says why."""


class DisconnectedError(Exception):
    """The client went away before its body was there."""


def serve(
    model: TrainedModel,
    name: str,
    host: str = "127.0.0.1",
    port: int = 5001,
    settings: ServerSettings | None = None,
) -> None:
    """Answer requests for a model until Ctrl-C or SIGTERM; requests that have begun are answered first.

    Args:
        model: what `load_trained_model` returns.
        name: of the model, for the line that says where it listens.
        host: the address.
        port: the port; 0 takes a free one.
        settings: the limits.

    Raises:
        AddressError: another program has the port, or the address is none of this machine.
    """
    try:
        listener = socket.create_server(
            (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=1024
        )
    except (OSError, OverflowError) as error:
        number = getattr(error, "errno", None)
        reason = os.strerror(number) if number and number > 0 else str(error)
        raise AddressError(
            f"cannot listen on {host}:{port} ({reason}); give another --host or --port"
        ) from None
    with listener:
        shown = f"[{host}]" if ":" in host else host
        print(f"{name} at http://{shown}:{listener.getsockname()[1]}/invocations; Ctrl-C ends it", flush=True)
        uvicorn.Server(server_config(create_app(model, settings))).run([listener])


def server_config(app: ServingApp) -> uvicorn.Config:
    """Return what uvicorn runs the application with: its connections guarded."""
    return uvicorn.Config(
        app,
        log_level="warning",
        http=app.connections.protocol,  # type: ignore[arg-type]
        ws="none",
        lifespan="off",
        # A guarded connection is found by the address that it came from.
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=round(app.settings.stop_seconds),
    )


def create_app(model: TrainedModel, settings: ServerSettings | None = None) -> ServingApp:
    """Return the application that answers for a model; any ASGI server runs it.

    Args:
        model: what `load_trained_model` returns.
        settings: the limits.
    """
    return ServingApp(model, settings or ServerSettings())


class ServingApp:
    """An ASGI application that answers for a model.

    Args:
        model: what is asked.
        settings: the limits.
    """

    def __init__(self, model: TrainedModel, settings: ServerSettings) -> None:
        self.settings, self.connections = settings, Connections(settings)
        note = RowLog(model, settings).note if settings.row_log else None
        self.queue, self.monitor = (
            RequestQueue(model, settings.limits, note),
            RequestMonitor(settings.access_log),
        )
        self._waiting = 0
        pong = ("\n", 200, JSON)
        self._routes: dict[str, Callable[[], Response]] = {
            "/ping": lambda: pong,
            "/health": lambda: pong,
            "/version": lambda: (version("mlflow"), 200, JSON),
        }
        if settings.metrics:
            self._routes["/metrics"] = self._metrics
        if settings.openapi:
            described = describe_server(model, settings), 200, JSON
            self._routes["/openapi.json"] = lambda: described

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        began, connection = time.perf_counter(), self.connections.of(scope)
        if connection:
            connection.expect_body()
        received, more = 0, []
        try:
            (text, status, kind), received = await self._respond(scope, receive)
        except DisconnectedError:
            return
        except Exception:
            if connection and connection.transport:
                connection.transport.abort()
            raise
        body = text.encode()
        headers = [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode())]
        if status in (408, 413, 503):  # the rest of the body is not read
            more.append((b"connection", b"close"))
        if status == 405:
            more.append((b"allow", b"POST" if scope["path"] == "/invocations" else b"GET, HEAD"))
        if connection:
            connection.expect_taking()
        await send({"type": "http.response.start", "status": status, "headers": headers + more})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
        if connection:
            connection.expect_head()
        client = (scope.get("client") or ("",))[0]
        seconds = time.perf_counter() - began
        self.monitor.note(client, scope["method"], scope["path"], status, received, len(body), seconds)

    async def _respond(self, scope: dict[str, Any], receive: Receive) -> tuple[Response, int]:
        """Return the response to a request, and how many bytes its body had."""
        path, method = scope["path"], scope["method"]
        if path in self._routes and method in ("GET", "HEAD"):
            return self._routes[path](), 0
        if path == "/invocations" and method == "POST":
            if self._waiting >= self.settings.max_waiting:
                return respond("too many requests wait for an answer; try later", 503), 0
            self._waiting += 1
            try:
                return await self._invoke(scope, receive)
            finally:
                self._waiting -= 1
        known = path in self._routes or path == "/invocations"
        others = ", ".join(self._routes)
        message = (
            f"{method[:20]} {path[:100]} is not answered here; POST a table to /invocations, or GET {others}"
        )
        return respond(message, 405 if known else 404), 0

    async def _invoke(self, scope: dict[str, Any], receive: Receive) -> tuple[Response, int]:
        headers = dict(scope["headers"])
        limit = self.settings.max_bytes
        said = headers.get(b"content-length", b"")
        if said.isdigit() and int(said[:20]) > limit:
            return respond(f"the body is too long; at most {limit:,} bytes are read", 413), 0
        try:
            async with asyncio.timeout(self.settings.body_seconds):
                body = await _read_body(receive, limit)
        except TimeoutError:
            return respond(f"the body was not there after {self.settings.body_seconds:g} seconds", 408), 0
        if body is None:
            return respond(f"the body is too long; at most {limit:,} bytes are read", 413), limit
        content_type = headers.get(b"content-type")
        kind = None if content_type is None else content_type.decode("latin-1")
        return await self.queue.answer(body, kind), len(body)

    def _metrics(self) -> Response:
        open_now, refused = len(self.connections.open), self.connections.refused
        return (
            self.monitor.text(open_now, refused, self._waiting),
            200,
            "text/plain; version=0.0.4; charset=utf-8",
        )


async def _read_body(receive: Receive, limit: int) -> bytes | None:
    """Return the body; None as soon as it is longer than what is read."""
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise DisconnectedError
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > limit:
            return None
        if not message.get("more_body", False):
            return b"".join(parts)
