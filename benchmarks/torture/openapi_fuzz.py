"""Requests that schemathesis makes of the server's own OpenAPI document, right ones and wrong ones.

    python benchmarks/torture/openapi_fuzz.py --examples 500 --seed 1

Needs schemathesis (`pip install -e '.[fuzz]'`). A response has to have a status, a type and a form that the document
names, and never to be an error of the server's own. A wrong method or body may not be taken. Prints schemathesis's
account; the exit status is 1 where it found a fault, or where a right body is not answered at the end.
"""

from __future__ import annotations

import argparse
import json
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import uvicorn
from bodies import send

sys.path.insert(0, str(Path(__file__).parents[1]))
from server_load import make_rows, save_model

from layerwise.inference import ServerSettings, create_app, load_trained_model
from layerwise.inference.serving import server_config

CHECKS = (
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance",
    "unsupported_method", "negative_data_rejection",
)  # fmt: skip


def attack(examples: int, seed: int) -> tuple[int, str]:
    """Return schemathesis's exit status, and what it printed.

    Args:
        examples: of each operation and phase.
        seed: of what is drawn.
    """
    command = [
        *(str(Path(sys.executable).with_name("schemathesis")), "run"),
        *("--seed", str(seed), "--max-examples", str(examples), "--checks", ",".join(CHECKS)),
        *("--request-timeout", "30", "--no-color", "--generation-database", "none", "--workers", "4"),
    ]
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as listener:
        save_model(Path(folder))
        app = create_app(load_trained_model(folder), ServerSettings(openapi=True))
        server, port = uvicorn.Server(server_config(app)), listener.getsockname()[1]
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        address = f"http://127.0.0.1:{port}/openapi.json"
        done = subprocess.run([*command, address], cwd=folder, capture_output=True, text=True)
        rows = make_rows(2).drop(columns="left").to_dict(orient="records")
        ((status, text),) = send(port, [(json.dumps({"instances": rows}).encode(), "application/json")])
        server.should_exit = True
        thread.join(30)
    end = "" if status == 200 else f"\na right body at the end: {status} {text}"
    return done.returncode or int(status != 200), done.stdout + done.stderr + end


def main() -> int:
    """Print what schemathesis found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--examples", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    status, said = attack(given.examples, given.seed)
    print(said)
    return status


if __name__ == "__main__":
    sys.exit(main())
