"""Speed and memory of `kedro run --pipelines=predict` on a file of a million rows.

python benchmarks/predict_throughput.py --model churn@champion --rows data/01_raw/churn/Churn_Modelling.csv

The file is repeated until it has that many rows, predicted in a process of its own, and deleted. Rows per second
count the predictions alone (the run's own figure); CPU seconds, which a crowded machine changes little, and the peak of
resident memory are those of the whole process.
"""

from __future__ import annotations

import argparse
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def repeat_rows(source: Path, target: Path, n_rows: int) -> int:
    """Write a table's rows again and again, at least so many; return how many."""
    header, *lines = source.read_text(encoding="utf-8").splitlines()
    times = -(-n_rows // len(lines))
    block = "\n".join(lines) + "\n"
    with target.open("w", encoding="utf-8") as file:
        file.write(header + "\n")
        for _ in range(times):
            file.write(block)
    return times * len(lines)


def main() -> None:
    """Run the pipeline and print its speed and memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="churn@champion")
    parser.add_argument("--rows", type=Path, default=Path("data/01_raw/churn/Churn_Modelling.csv"))
    parser.add_argument("--n", type=int, default=1_000_000)
    parser.add_argument("--chunk-rows", type=int, default=20_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file, predictions = Path(folder) / "rows.csv", Path(folder) / "predictions.csv"
        n = repeat_rows(given.rows, file, given.n)
        params = {
            "predict.model": given.model,
            "predict.input": file,
            "predict.output": predictions,
            "predict.chunk_rows": given.chunk_rows,
        }
        command = [
            sys.executable,
            *("-m", "kedro", "run", "--pipelines=predict"),
            "--params=" + ",".join(f"{name}={value}" for name, value in params.items()),
        ]
        began = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        seconds = time.perf_counter() - began
        if done.returncode:
            sys.exit(done.stdout + done.stderr)
        speed = re.search(r"([\d,]+)\s+rows/s", done.stdout + done.stderr)
        used = resource.getrusage(resource.RUSAGE_CHILDREN)  # the only child is the run
        peak = used.ru_maxrss / 2**20  # Linux counts in KiB
        print(
            f"{n:,} rows of {file.stat().st_size / 1e6:.0f} MB: {seconds:.1f} s and "
            f"{used.ru_utime + used.ru_stime:.1f} CPU seconds with the start, "
            f"{speed[1] if speed else '?'} rows/s, {peak:.2f} GiB at most, predictions of "
            f"{predictions.stat().st_size / 1e6:.0f} MB"
        )


if __name__ == "__main__":
    main()
