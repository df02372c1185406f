"""Raw files of random bytes, and a server on this computer that hands them out."""

import hashlib
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from layerwise.data.sources import SourceFile

BODY = os.urandom(300_000)
NAME = "digits/images.gz"


def sha256(body):
    return hashlib.sha256(body).hexdigest()


class Server(ThreadingHTTPServer):
    """A server on 127.0.0.1: `bodies` by path, `announced` lengths that are wrong, `requested` paths in order."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.bodies, self.announced, self.requested = {}, {}, []
        self.barrier = None

    def url(self, path, body=None, announced=None):
        if body is not None:
            self.bodies[path] = body
        if announced is not None:
            self.announced[path] = announced
        return f"http://127.0.0.1:{self.server_port}{path}"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.requested.append(self.path)
        body = self.server.bodies.get(self.path)
        if body is None:
            self.send_error(404)
            return
        if self.server.barrier is not None:
            self.server.barrier.wait(timeout=60)
        self.send_response(200)
        self.send_header("Content-Length", str(self.server.announced.get(self.path, len(body))))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def wanted(*urls, body=BODY, **fields):
    return SourceFile(**{"name": NAME, "sha256": sha256(body), "urls": urls, **fields})


def put(folder, body):
    path = folder / NAME
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)
    return path


def files(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())
