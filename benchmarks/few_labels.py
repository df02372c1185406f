"""Pretraining against random initialization by the number of labels: the figure of the README.

Runs the dbn pipeline on the embedded digits with 5 seeds, each start and each number of labelled rows; both starts
get the same layers, epochs, batches and learning rate, and choose their epoch on the same validation rows. Writes
docs/pictures/few_labels.png and few_labels.json beside it.

    python benchmarks/few_labels.py [--seeds 5]
"""

from __future__ import annotations

import argparse
import json
import os

import numpy as np
from kedro.framework.startup import bootstrap_project
from seeds import PROJECT, measure

from layerwise.evaluation.plots import plot_label_efficiency

STARTS = {"pretrained": "rbm", "random start": "none"}
# Of the digits as they are, whose pixels' order says nothing to the network.
UNMOVED = {"augmentation": {"shift": 0.0}, "monitor": "validation/error"}
# Few rows make few batches, so that smaller sets get more epochs: 500 to 1,100 steps in all.
FINETUNING = {
    None: {"epochs": 30, "batch_size": 100},
    1000: {"epochs": 60, "batch_size": 100},
    300: {"epochs": 100, "batch_size": 50},
    100: {"epochs": 100, "batch_size": 20},
}


def run(name: str, seed: int, method: str, labelled: int | None, from_nodes: list[str] | None) -> float:
    """Return the test error of one run; the pretrained stack of an earlier run is used again."""
    parameters = {
        "seed": seed,
        "problem": {"name": name},
        "pretraining": {"method": method},
        "labelled_rows": labelled,
        "finetuning": UNMOVED | FINETUNING[labelled],
        "evaluation": {"bootstrap": 0},
    }
    return measure("dbn", None, parameters, from_nodes)[0]["error"]


def main() -> None:
    """Run everything and plot the figure."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=5)
    seeds = range(parser.parse_args().seeds)
    os.chdir(PROJECT)
    bootstrap_project(PROJECT)
    errors: dict[str, dict[int, list[float]]] = {name: {} for name in STARTS}
    for start, method in STARTS.items():
        for seed in seeds:
            name = f"few_labels_{method}"
            for labelled in FINETUNING:
                from_nodes = None if labelled is None else ["preprocessing.choose_labelled_rows_dbn"]
                error = run(name, seed, method, labelled, from_nodes)
                errors[start].setdefault(labelled or 3600, []).append(error)
                print(f"{start}, seed {seed}, {labelled or 3600} labels: error {error:.4f}", flush=True)
    folder = PROJECT / "docs/pictures"
    folder.mkdir(parents=True, exist_ok=True)
    plot_label_efficiency(errors).savefig(folder / "few_labels.png")
    (folder / "few_labels.json").write_text(json.dumps(errors, indent=1) + "\n")
    for start, by_rows in errors.items():
        for labelled, values in sorted(by_rows.items()):
            print(
                f"| {start} | {labelled:,} | {100 * np.mean(values):.2f} | {100 * np.std(values, ddof=1):.2f} |"
            )


if __name__ == "__main__":
    main()
