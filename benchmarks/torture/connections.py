"""Big and slow requests: a body of a gigabyte in chunks, and hundreds of connections that send a byte now and then.

    python benchmarks/torture/connections.py [--megabytes 1200] [--slow 400]

The server is a process of its own. Prints for each attack how much of the body it took, how much its memory grew, how
many connections were still open at the end, and the slowest answer that a well-behaved client got meanwhile. The exit
status is 1 where more than 64 MB were taken or grown, a slow connection was still open, or nobody else was answered.
"""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import select
import socket
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).parents[1]))
from server_load import save_model

MOST = 64e6
# As the server's settings, but that a head and a body have to be there sooner, so that this is over sooner.
SETTINGS = {"header_seconds": 5.0, "body_seconds": 5.0}
HEAD = b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


def serve(folder: str, listener: socket.socket) -> None:
    """Answer for a model until the process is ended."""
    import uvicorn

    from layerwise.inference import create_app, load_trained_model
    from layerwise.inference.serving import ServerSettings, server_config

    app = create_app(load_trained_model(folder), ServerSettings(**SETTINGS))
    uvicorn.Server(server_config(app)).run([listener])


class Client(threading.Thread):
    """Asks for /ping twice a second, and keeps the seconds of each answer."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self.port, self.seconds, self.failed, self.over = port, [0.0], 0, threading.Event()

    def run(self) -> None:
        """Ask until it is over."""
        while not self.over.wait(0.5):
            began = time.monotonic()
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/ping", timeout=30):
                    self.seconds.append(time.monotonic() - began)
            except OSError:
                self.failed += 1


@contextlib.contextmanager
def watched(process: psutil.Process, port: int, what: str) -> Iterator[dict[str, float]]:
    """Print what an attack did to a server; yield what the attack finds out."""
    client, found, before = Client(port), {}, process.memory_info().rss
    client.start()
    yield found
    client.over.set()
    client.join()
    found |= {"grown": float(process.memory_info().rss - before), "answers": len(client.seconds) - 1}
    shown = ", ".join(f"{name} {value:,.0f}" for name, value in found.items())
    print(
        f"{what}: {shown}, not answered {client.failed}, slowest /ping {max(client.seconds):.2f} s",
        flush=True,
    )


def send_chunks(port: int, megabytes: int) -> int:
    """Send a body in chunks until the server closes; return how many bytes it took."""
    chunk = b"10000\r\n" + b"1," * (1 << 15) + b"\r\n"
    taken = 0
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
        with contextlib.suppress(OSError):
            while taken < megabytes * 1e6:
                connection.sendall(chunk)
                taken += 1 << 16
    return taken


def send_slowly(port: int, n: int) -> int:
    """Hold connections open, half of them within a head and half within a body; return how many stay so."""
    connections = []
    for k in range(n):
        connection = socket.create_connection(("127.0.0.1", port), timeout=60)
        with contextlib.suppress(OSError):
            connection.sendall(HEAD + (b"Content-Length: 100\r\n\r\n[" if k % 2 else b""))
        connection.setblocking(False)
        connections.append(connection)
    for _ in range(10):
        time.sleep(1)
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.send(b" ")
    still = 0
    for connection in connections:
        with contextlib.suppress(OSError):
            readable = True
            while readable and (readable := bool(select.select([connection], [], [], 0)[0])):
                if not connection.recv(1 << 16):
                    break
            still += not readable
        connection.close()
    return still


def main() -> int:
    """Attack a server, and print what it did."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=int, default=1200)
    parser.add_argument("--slow", type=int, default=400)
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        socket.create_server(("127.0.0.1", 0), backlog=1024) as listener,
    ):
        save_model(Path(folder))
        port = listener.getsockname()[1]
        server = multiprocessing.get_context("spawn").Process(
            target=serve, args=(folder, listener), daemon=True
        )
        server.start()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/ping", timeout=120):
            process = psutil.Process(server.pid)
        with watched(process, port, f"{given.megabytes} MB in chunks") as big:
            big["bytes taken"] = send_chunks(port, given.megabytes)
            time.sleep(1)
        with watched(process, port, f"{given.slow} slow connections") as slow:
            slow["still open"] = send_slowly(port, given.slow)
        server.terminate()
        server.join(30)
    wrong = big["bytes taken"] > MOST or max(big["grown"], slow["grown"]) > MOST or slow["still open"]
    return 1 if wrong or not big["answers"] or not slow["answers"] else 0


if __name__ == "__main__":
    sys.exit(main())
