"""What chains, centring and a falling rate are each worth to an RBM's likelihood: the table of docs/pipelines/rbm.md.

    python benchmarks/rbm_learning.py [--chains data persistent] [--epochs 60] [--seeds 0] [--out rbm_learning.jsonl]

Every combination trains an RBM of 500 hidden units on the embedded digits: log p (nats a row, by AIS) of the
validation rows, and the seconds of the processor. What stands in the file is not trained again.
"""

from __future__ import annotations

import argparse
import json
import logging
import time
from itertools import product
from pathlib import Path
from typing import Any

from anomalies import rows_of
from kedro.framework.startup import bootstrap_project

from layerwise.evaluation.likelihood import rbm_likelihood
from layerwise.models.rbm import RBM
from layerwise.parameters import RBMSettings
from layerwise.training.rbm import fit_rbm, rbm_config
from layerwise.utils import torch_rng

PROJECT = Path(__file__).parent.parent
# Of each chain the rate and the final momentum that the rule gives it.
CHAINS: dict[str, dict[str, Any]] = {
    "data": {"learning_rate": 0.1, "final_momentum": 0.9},
    "persistent": {"learning_rate": 0.05, "final_momentum": 0.5},
    "tempered": {"learning_rate": 0.05, "final_momentum": 0.5},
}
# A quarter of a minute an RBM; the intervals say whether it is enough.
AIS = {"temperatures": 1000, "reverse_steps": 500}


def main() -> None:
    """Train what the file lacks, and print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--chains", nargs="+", choices=CHAINS, default=["data", "persistent"])
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--out", type=Path, default=Path("rbm_learning.jsonl"))
    given = parser.parse_args()
    logging.disable(logging.INFO)
    bootstrap_project(PROJECT)
    cells = list(product(given.chains, (False, True), (False, True), given.seeds))
    for cell in cells:
        if cell not in _found(given.out):
            found = train(*cell, given.epochs)
            with given.out.open("a") as file:
                file.write(json.dumps(found) + "\n")
    found = _found(given.out)
    print("| chain | centred | rate | seed | log p | interval | seconds |\n|---|---|---|---|---|---|---|")
    for chain, centered, falls, seed in cells:
        each = found[chain, centered, falls, seed]
        print(
            f"| {chain} | {'yes' if centered else 'no'} | {'falls to 0' if falls else 'constant'} | {seed} "
            f"| {each['log_p']:.1f} | {each['low']:.1f} to {each['high']:.1f} | {each['seconds']:.0f} |"
        )


def train(chain: str, centered: bool, falls: bool, seed: int, epochs: int) -> dict[str, Any]:
    """Train one RBM, and return its likelihood."""
    training, validation, _, columns = rows_of("digits")
    learning = CHAINS[chain] | {"final_learning_rate": 0.0 if falls else CHAINS[chain]["learning_rate"]}
    settings = RBMSettings(
        n_hidden=500,
        batch_size=100,
        chain=chain,
        centered=centered,
        epochs=epochs,
        likelihood=AIS,
        **learning,
    )
    rbm, start = RBM(rbm_config(columns, settings), torch_rng(seed, "machine")), time.process_time()
    fit_rbm(rbm, training, validation, settings, seed, dynamic_binarization=columns.dynamic_binarization)
    seconds = time.process_time() - start
    found = rbm_likelihood(
        rbm, training.inputs, validation.inputs, settings.likelihood, seed, images=True
    ).log_probability["test"]
    names = {"chain": chain, "centered": centered, "falls": falls, "seed": seed, "seconds": seconds}
    return names | {"log_p": found.midpoint, "low": found.low, "high": found.high}


def _found(path: Path) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Return what the file has, by chain, centring, schedule and seed."""
    lines = path.read_text().splitlines() if path.exists() else []
    rows = [json.loads(line) for line in lines]
    return {tuple(row[name] for name in ("chain", "centered", "falls", "seed")): row for row in rows}


if __name__ == "__main__":
    main()
