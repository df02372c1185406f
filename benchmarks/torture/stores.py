"""Have a tracking server fail a part of its answers, and compare what runs come to with what they do without.

    python benchmarks/torture/stores.py --runs 10 [--seed 1] [--share 0.3]
    python benchmarks/torture/stores.py --runs 1 --share 0 --latency 1

A server of MLflow's is started. Of each run's requests a share is answered by 503 or 429, half of those after the
server has done what it was asked; then a command without failures stores what was kept. Counts how the runs ended
(done, a sentence, a traceback), and what is not as it should be: one finished run, its status, one registered version,
one model, metrics. The exit status is 1 where anything is not. With `--latency` each request takes so much
longer; those of the run's own thread are counted too: what is sent beside training holds up nothing.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import os
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from forks import status_of, warm_up
from runs import Runs, golden

ENDS = {0: "done", 1: "a traceback", 2: "a sentence", 3: "nothing to go on with"}
PIPELINE = "mlp"


@contextlib.contextmanager
def server(folder: Path) -> Iterator[str]:
    """Run MLflow's server in a folder; yield its address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "server", "--host=127.0.0.1", f"--port={port}", "--workers=1"]
    command += [f"--backend-store-uri=sqlite:///{folder}/m.db", f"--artifacts-destination={folder}/artifacts"]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, start_new_session=True)
    try:
        address = f"http://127.0.0.1:{port}"
        for _ in range(240):
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{address}/health"):
                break
            time.sleep(0.5)
        yield address
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def fail_some(rng: random.Random, share: float, latency: float, counted: Path) -> None:
    """Have this process's requests fail and be slow from now on; write down how many there are."""
    import requests

    send, n, main = requests.Session.send, [0, 0, 0], threading.main_thread()

    def failing(session: Any, request: Any, **options: Any) -> Any:
        time.sleep(latency)
        n[0] += 1
        n[2] += threading.current_thread() is main
        fails, after = rng.random() < share, rng.random() < 0.5
        n[1] += fails
        counted.write_text(json.dumps(n))
        found = send(session, request, **options) if after or not fails else None
        if not fails:
            return found
        answer = requests.Response()
        answer.status_code, answer.request, answer.url = rng.choice((503, 429)), request, request.url
        answer._content = b'{"error_code": "TEMPORARILY_UNAVAILABLE", "message": "try again"}'
        return answer

    requests.Session.send = failing  # type: ignore[method-assign]


def stored(database: Path, problem: str) -> dict[str, Any]:
    """Return what the server has of a problem."""
    with contextlib.closing(sqlite3.connect(database)) as found:

        def ask(sql: str) -> list[Any]:
            return sorted(row[0] for row in found.execute(sql, (problem,)))

        own = "join runs r using (run_uuid) join experiments e using (experiment_id) where e.name = ?"
        runs = "runs join experiments e using (experiment_id) where e.name = ?"
        return {
            "running": ask(f"select run_uuid from {runs} and status = 'RUNNING'"),
            "finished": len(ask(f"select run_uuid from {runs} and status = 'FINISHED'")),
            "versions": len(ask("select version from model_versions where name = ?")),
            "models": len(
                ask(
                    "select model_id from logged_models m join experiments e using (experiment_id) where e.name = ? "
                    "and m.status = 2"
                )
            ),
            "metrics": [
                name for name in ask(f"select distinct key from metrics {own}") if not golden.is_clock(name)
            ],
        }


def main() -> int:
    """Run as often as the command says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--share", type=float, default=0.3, help="of the requests that fail")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds that each request takes longer")
    given = parser.parse_args()
    os.environ.update(golden.THREADS | golden.QUIET)
    os.environ.pop("LAYERWISE_ARTIFACTS", None)
    from kedro.framework.startup import bootstrap_project

    logging.disable(logging.CRITICAL)
    counts = Counter[str]()
    with tempfile.TemporaryDirectory() as name, contextlib.chdir(name):
        folder = Path(name).resolve()
        (folder / "server").mkdir()
        with server(folder / "server") as address:
            os.environ["MLFLOW_TRACKING_URI"] = address
            (folder / "project").mkdir()
            project, counted = golden.Project(folder / "project"), folder / "counted.json"
            bootstrap_project(project.path)
            os.chdir(project.path)
            runs, database = Runs(project), folder / "server" / "m.db"
            if warm_up(lambda: runs.run(PIPELINE, "whole", False), folder / "modules.json"):
                raise SystemExit("it does not run at all")
            expected = stored(database, "whole")
            for k in range(given.runs):
                problem, rng = f"p{k}", random.Random(f"{given.seed} {k}")
                began = time.monotonic()
                end = status_of(
                    lambda problem=problem, rng=rng: runs.run(
                        PIPELINE, problem, False, lambda: fail_some(rng, given.share, given.latency, counted)
                    )
                )
                n, failed, waited = json.loads(counted.read_text())
                counts["seconds"] += round(time.monotonic() - began)
                counts["requests of the run's own thread"] += waited
                counts["requests"] += n
                counts["failed"] += failed
                counts[f"with failures: {ENDS.get(end, end)}"] += 1
                again = status_of(lambda problem=problem: runs.run(PIPELINE, problem, True))
                if again == 3 and not stored(database, problem)["finished"]:
                    again = status_of(lambda problem=problem: runs.run(PIPELINE, problem, False))
                found = stored(database, problem)
                differ = {key: found[key] for key in expected if found[key] != expected[key]}
                counts["as it should be"] += not differ
                if differ or end == 1 or again in (1, 2):
                    print(
                        f"  {problem}: {ENDS.get(end, end)}, then {ENDS.get(again, again)}: {differ}",
                        flush=True,
                    )
                print(f"{k + 1} of {given.runs}: {dict(counts)}", flush=True)
    right = counts["as it should be"] == given.runs and not counts["with failures: a traceback"]
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
