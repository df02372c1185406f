"""A trained model over HTTP: the routes and responses of MLflow's scoring server, and one sentence for what is wrong.

GET  /ping, /health   200 once the model is loaded
GET  /version         MLflow's version, as its own server says it
POST /invocations     predictions for a table, as JSON or CSV (`layerwise.inference.serving.request_body`)
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
from importlib.metadata import version
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from layerwise.inference.model import TrainedModel
from layerwise.inference.serving.request_body import MAX_BYTES, handle_request, respond_too_large
from layerwise.utils import UserError

_ERROR_CODES = {404: "ENDPOINT_NOT_FOUND", 405: "METHOD_NOT_ALLOWED"}


class AddressError(UserError, OSError):
    """The server cannot listen where it was told to; the message says why."""


def serve(model: TrainedModel, name: str, host: str = "127.0.0.1", port: int = 5001) -> None:
    """Answer requests for a model until Ctrl-C or SIGTERM.

    Args:
        model: what `load_trained_model` returns.
        name: of the model, for the line that says where it listens.
        host: the address.
        port: the port; 0 takes a free one.

    Raises:
        AddressError: another program has the port, or the address is none of this machine.
    """
    try:
        listener = socket.create_server(
            (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET
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
        uvicorn.Server(uvicorn.Config(create_app(model), log_level="warning")).run([listener])


def create_app(model: TrainedModel) -> FastAPI:
    """Return the application that answers for a model; any ASGI server runs it.

    Args:
        model: what `load_trained_model` returns.
    """
    app = FastAPI(title="layerwise", docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/ping")
    @app.get("/health")
    async def ping() -> Response:
        return Response("\n", media_type="application/json")

    @app.get("/version")
    async def mlflow_version() -> Response:
        return Response(version("mlflow"), media_type="application/json")

    @app.post("/invocations")
    async def invocations(request: Request) -> Response:
        body = await _read_body(request)
        if body is None:
            text, status, kind = respond_too_large()
        else:
            content_type = request.headers.get("content-type")
            text, status, kind = await asyncio.to_thread(handle_request, model, body, content_type)
        return Response(text, status, media_type=kind)

    @app.exception_handler(HTTPException)
    async def refuse(request: Request, error: Any) -> Response:
        code = _ERROR_CODES.get(error.status_code, "BAD_REQUEST")
        message = (
            f"{request.method} {request.url.path[:100]} is not answered here; POST a table to /invocations, or GET "
            "/ping, /health or /version"
        )
        text = json.dumps({"error_code": code, "message": message})
        return Response(text, error.status_code, headers=error.headers, media_type="application/json")

    return app


async def _read_body(request: Request) -> bytes | None:
    """Return the body; None as soon as it is longer than what is read."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > MAX_BYTES:
            return None
        parts.append(part)
    return b"".join(parts)
