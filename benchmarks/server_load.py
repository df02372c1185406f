"""Load on `kedro serve`: requests of single rows from many clients, answered in lots and one by one.

    python benchmarks/server_load.py --clients 32 --seconds 10

Prints, for each kind of server, requests a second, the times of responses, and the server's CPU time a request, which
other work on the machine does not change. The model is that of a small table (11
columns, an MLP with its default settings); clients and server share the machine. `one by one` answers as the server did
before requests were joined: FastAPI, a thread for each request. `--servers` names others that take an ASGI application,
if they are installed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil
from fastapi import FastAPI, Request
from fastapi.responses import Response

ROUNDS = 3


def make_rows(n: int) -> pd.DataFrame:
    """Return rows with numbers, categories, flags and a date."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({f"number{k}": rng.normal(size=n).round(3) for k in range(6)})
    frame["city"] = rng.choice(["rome", "oslo", "lima"], n)
    frame["plan"] = rng.choice(["a", "b"], n)
    frame["member"] = rng.integers(0, 2, n)
    frame["since"] = pd.to_datetime(rng.integers(0, 1000, n), unit="D", origin="2020-01-01").strftime(
        "%Y-%m-%d"
    )
    frame["left"] = rng.choice(["no", "yes"], n)
    return frame


def save_model(folder: Path) -> None:
    """Write an untrained network for the table."""
    from layerwise.data import PreprocessingSettings, Problem, SplitSettings, split_raw
    from layerwise.data.preprocessing import fit_preprocessor
    from layerwise.inference import ModelManifest, save_trained_model
    from layerwise.models import MLP, MLPConfig
    from layerwise.utils import torch_rng

    frame = make_rows(500)
    problem = Problem(name="load", task="binary", target="left", positive="yes")
    split = split_raw(frame, problem, SplitSettings(), 0)
    preprocessor = fit_preprocessor(frame, split, problem, PreprocessingSettings(), 0)
    network = MLP(MLPConfig(n_inputs=preprocessor.data_spec.n_inputs, n_outputs=1), torch_rng(0, "w")).eval()
    save_trained_model(folder, network, preprocessor, ModelManifest(problem="load"))


def one_by_one(model: Any) -> Any:
    """Return an application that answers each request by itself."""
    from layerwise.inference.serving import handle_request

    app = FastAPI()

    @app.post("/invocations")
    async def invocations(request: Request) -> Response:
        body = await request.body()
        kind = request.headers.get("content-type")
        text, status, media = await asyncio.to_thread(handle_request, model, body, kind)
        return Response(text, status, media_type=media)

    return app


def run_server(folder: str, kind: str, port: int) -> None:
    """Serve the model in this process."""
    import torch
    import uvicorn

    from layerwise.inference import create_app, load_trained_model
    from layerwise.inference.serving import server_config

    torch.set_num_threads(1)
    model, listener = load_trained_model(folder), socket.create_server(("127.0.0.1", port), backlog=1024)
    if kind == "one by one":
        uvicorn.Server(uvicorn.Config(one_by_one(model), log_level="warning")).run([listener])
    elif kind == "joined":
        uvicorn.Server(server_config(create_app(model))).run([listener])
    elif kind == "hypercorn":
        from hypercorn.asyncio import serve
        from hypercorn.config import Config

        listener.close()
        config = Config.from_mapping(bind=[f"127.0.0.1:{port}"], loglevel="warning", accesslog=None)
        asyncio.run(serve(create_app(model), config))  # type: ignore[arg-type]
    elif kind == "granian":
        from granian.server.embed import Server

        listener.close()
        asyncio.run(Server(create_app(model), address="127.0.0.1", port=port, interface="asgi").serve())
    else:
        sys.exit(f"unknown server {kind}")


async def ask_for(port: int, bodies: list[bytes], until: float, times: list[float]) -> None:
    """Send requests one after another by one connection, and note the seconds of each."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    k = os.getpid()
    while time.perf_counter() < until:
        body, k = bodies[k % len(bodies)], k + 1
        began = time.perf_counter()
        head = f"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
        writer.write(head.encode() + b"\r\n\r\n" + body)
        head_read = await reader.readuntil(b"\r\n\r\n")
        length = int(head_read.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        text = await reader.readexactly(length)
        if b" 200 " not in head_read[:20]:
            sys.exit(f"a request failed: {head_read!r} {text!r}")
        times.append(time.perf_counter() - began)
    writer.close()


async def load(port: int, clients: int, seconds: float) -> list[float]:
    """Return the times of all requests that the clients sent."""
    rows = make_rows(400).drop(columns="left").to_dict(orient="records")
    bodies = [json.dumps({"dataframe_records": [row]}).encode() for row in rows]
    times: list[float] = []
    until = time.perf_counter() + seconds
    await asyncio.gather(*(ask_for(port, bodies[k:] + bodies[:k], until, times) for k in range(clients)))
    return times


def wait_for(port: int) -> None:
    """Return when a server listens and answers."""
    for _ in range(600):
        try:
            if asyncio.run(load(port, 1, 0.5)):
                return
        except OSError:
            time.sleep(0.2)
    sys.exit("the server did not start")


def measure(kinds: list[str], clients: int, seconds: float, show: Callable[[str], None] = print) -> None:
    """Print the figures of each kind of server, the median of some rounds taken in turn."""
    context, found = multiprocessing.get_context("spawn"), {kind: [] for kind in kinds}  # type: ignore[var-annotated]
    with tempfile.TemporaryDirectory() as folder:
        save_model(Path(folder))
        for _ in range(ROUNDS):
            for kind in kinds:
                with socket.socket() as free:
                    free.bind(("127.0.0.1", 0))
                    port = free.getsockname()[1]
                server = context.Process(target=run_server, args=(folder, kind, port), daemon=True)
                server.start()
                try:
                    wait_for(port)
                    process = psutil.Process(server.pid)
                    before = sum(process.cpu_times()[:2])
                    times = asyncio.run(load(port, clients, seconds))
                    used = 1000 * (sum(process.cpu_times()[:2]) - before) / len(times)
                finally:
                    server.terminate()
                    server.join(20)
                found[kind].append((len(times) / seconds, *np.quantile(times, [0.5, 0.99]) * 1000, used))
    show(f"{clients} clients, {seconds:g} s, median of {ROUNDS} rounds")
    for kind in kinds:
        rate, half, most, used = (statistics.median(values) for values in zip(*found[kind], strict=True))
        show(
            f"{kind:12} {rate:8.0f} requests/s   p50 {half:6.0f} ms   p99 {most:6.0f} ms   {used:5.2f} ms of CPU each"
        )


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument(
        "--servers", nargs="+", default=["one by one", "joined"], help="also: hypercorn granian"
    )
    arguments = parser.parse_args()
    measure(arguments.servers, arguments.clients, arguments.seconds)


if __name__ == "__main__":
    main()
