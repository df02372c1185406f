"""Hostile request bodies: right ones are spoiled in many ways, and each gets a JSON answer of 200 or 4xx in time.

    python benchmarks/torture/bodies.py --bodies 10000 --seed 0

They are sent by several connections at once, so that they are answered together too. Prints the number of answers by
status, and what was wrong: an answer that is no JSON or shows the server's inside, another status, no answer within 30
seconds, and, for one in ten of them, another answer than the body gets alone.
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import socket
import sys
import tempfile
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import uvicorn

sys.path.insert(0, str(Path(__file__).parents[1]))
from server_load import make_rows, save_model

from layerwise.inference import TrainedModel, create_app, load_trained_model
from layerwise.inference.serving import handle_request, server_config

SECONDS = 30
CONNECTIONS = 8
INSIDE = ("Traceback", 'File "', "site-packages", "/src/", ".py", "layerwise.")
CELLS: list[Any] = [
    None, True, 0, -1, 2**53 + 1, 10**400, 1e308, -0.0, float("nan"), float("inf"), "", " ", "0x10", "1e999", "=1+1",
    "nan", "9999-99-99", "\0", "\ud800", "€" * 1000, [], {}, [[1]], {"$ref": "#"}, "'; DROP TABLE x; --", "<script>",
]  # fmt: skip
CONTENT_TYPES = [
    "application/json",
    "text/csv",
    "text/csv; charset=latin-1",
    "application/json; charset=utf-16",
    "a/b",
    "",
]
Body = tuple[bytes, str]


def right_body(rng: random.Random, rows: list[dict[str, Any]]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return a right body of a few rows, in one of the forms."""
    some = [dict(row) for row in rng.sample(rows, rng.choice([1, 1, 1, 2, 5]))]
    names = list(some[0])
    cells = [[row[name] for name in names] for row in some]
    form = rng.choice(["dataframe_split", "dataframe_records", "instances", "inputs"])
    table: Any = {
        "dataframe_split": {"columns": names, "data": cells},
        "inputs": {name: [row[name] for row in some] for name in names},
    }.get(form, some)
    return {form: table}, some


def spoil(rng: random.Random, value: Any) -> Any:
    """Return a JSON value with one of its parts changed, at any depth."""
    if isinstance(value, dict) and value and rng.random() < 0.9:
        name = rng.choice(list(value))
        found = dict(value)
        kind = rng.random()
        if kind < 0.15:
            del found[name]
        elif kind < 0.3:
            found[rng.choice(["", "x" * 5000, "\0", name + " ", "params"])] = found.pop(name)
        else:
            found[name] = spoil(rng, found[name])
        return found
    if isinstance(value, list) and value and rng.random() < 0.9:
        k = rng.randrange(len(value))
        kind = rng.random()
        if kind < 0.15:
            return value[:k] + value[k + 1 :]
        if kind < 0.25:
            return value * rng.choice([0, 2, 30])
        return [*value[:k], spoil(rng, value[k]), *value[k + 1 :]]
    return rng.choice(CELLS)


def make_body(seed: int, rows: list[dict[str, Any]]) -> Body:
    """Return the body and the content type of a number."""
    rng = random.Random(seed)
    body, some = right_body(rng, rows)
    kind = "application/json"
    if rng.random() < 0.2:
        text = "\n".join([",".join(some[0]), *(",".join(map(str, row.values())) for row in some)])
        raw, kind = text.encode(), "text/csv"
    else:
        if rng.random() < 0.2:
            body["params"] = {
                rng.choice(["task", "n", "seed", "x"]): rng.choice(["encode", "sample", *CELLS])
            }
        for _ in range(rng.choice([0, 1, 1, 2, 4])):
            body = spoil(rng, body)
        raw = json.dumps(body).encode("utf-8", "surrogatepass")
    if rng.random() < 0.3 and raw:
        k = rng.randrange(len(raw))
        raw = rng.choice(
            [raw[:k], raw[:k] + rng.randbytes(3) + raw[k:], raw + raw, b"[" * 2000 + raw, b"\xff\xfe" + raw]
        )
    return raw, rng.choice(CONTENT_TYPES) if rng.random() < 0.1 else kind


def send(port: int, bodies: list[Body]) -> list[tuple[int, str]]:
    """Return the status and the text of the answer to each body, sent by one connection; status 0 for none."""
    found, connection = [], http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    for raw, kind in bodies:
        try:
            connection.request("POST", "/invocations", raw, {"Content-Type": kind} if kind else {})
            response = connection.getresponse()
            found.append((response.status, response.read().decode()))
        except (OSError, http.client.HTTPException) as error:
            found.append((0, repr(error)))
            connection.close()
    connection.close()
    return found


def fault(model: TrainedModel, body: Body, status: int, text: str, compare: bool) -> str:
    """Return what is wrong with an answer; empty for nothing."""
    try:
        said = json.loads(text)
    except ValueError:
        return "no JSON"
    if status != 200 and not 400 <= status < 500:
        return "another status"
    if status != 200 and (not said.get("message") or any(word in text for word in INSIDE)):
        return "no message, or the server's inside"
    if compare and '"seed"' not in text:
        alone, expected, _ = handle_request(model, body[0], body[1] or None)
        if (alone, expected) != (text, status):
            return "another answer than alone"
    return ""


def attack(bodies: int, seed: int) -> tuple[Counter[int], list[str]]:
    """Send bodies to a server in this process; return the number of answers by status, and the faults."""
    rows = make_rows(100).drop(columns="left").to_dict(orient="records")
    made = [make_body(seed * 1_000_000 + k, rows) for k in range(bodies)]  # type: ignore[arg-type]
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as listener:
        save_model(Path(folder))
        model = load_trained_model(folder)
        server, port = uvicorn.Server(server_config(create_app(model))), listener.getsockname()[1]
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        parts = [made[k::CONNECTIONS] for k in range(CONNECTIONS)]
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            answers = list(pool.map(lambda part: send(port, part), parts))
        (last,) = send(port, [(json.dumps({"instances": rows[:1]}).encode(), "application/json")])
        server.should_exit = True
        thread.join(30)
        counts: Counter[int] = Counter()
        faults = [] if last[0] == 200 else [f"a right body at the end: {last}"]
        for k, (part, found) in enumerate(zip(parts, answers, strict=True)):
            for n, (body, (status, text)) in enumerate(zip(part, found, strict=True)):
                counts[status] += 1
                number = n * CONNECTIONS + k
                if what := fault(model, body, status, text, compare=number % 10 == 0):
                    faults.append(f"seed {seed}, body {number}: {what}: {status} {text[:200]}")
    return counts, faults


def main() -> None:
    """Print the counts."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bodies", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    counts, faults = attack(arguments.bodies, arguments.seed)
    for line in faults:
        print(line)
    print(
        f"{arguments.bodies} bodies, answers by status {dict(sorted(counts.items()))}, {len(faults)} faults"
    )


if __name__ == "__main__":
    main()
