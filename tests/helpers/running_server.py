"""An application that runs in a thread of the tests, and requests to it."""

import socket
import threading
import urllib.error
import urllib.request
from contextlib import contextmanager

import uvicorn

from layerwise.inference.serving import ServingApp, server_config


@contextmanager
def running(app):
    """Run an application in a thread; yield its port."""
    listener = socket.create_server(("127.0.0.1", 0))
    own = isinstance(app, ServingApp)
    server = uvicorn.Server(server_config(app) if own else uvicorn.Config(app, log_level="error"))
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(20)
        listener.close()
        assert not thread.is_alive()


def ask(port, path="invocations", body=None, kind="application/json"):
    """Return the status, the content type and the text of a response; a body is posted."""
    headers = {"Content-Type": kind} if kind else {}
    request = urllib.request.Request(f"http://127.0.0.1:{port}/{path}", body, headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.status, response.headers["content-type"], response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers["content-type"], error.read().decode()
