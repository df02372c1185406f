"""What chains, centring, a falling rate and averaged weights are worth to an RBM: the table of docs/pipelines/rbm.md.

    python benchmarks/rbm_learning.py [--chains data persistent] [--epochs 60] [--seeds 0] [--out rbm_learning.jsonl]

Every combination trains an RBM of 500 hidden units on the embedded digits: log p (nats a row, by AIS) of the
validation rows, the seconds of the processor, and of 300 samples, 1,000 Gibbs steps from training rows, the least and
most frequent class that a classifier finds, coverage and Frechet distance in its features beside the validation rows.
What stands in the file is not trained again.
"""

from __future__ import annotations

import argparse
import json
import logging
import time
from functools import cache, partial
from itertools import product
from pathlib import Path
from typing import Any

from anomalies import rows_of
from kedro.framework.startup import bootstrap_project

from layerwise.evaluation.generative import evaluate_image_samples
from layerwise.evaluation.likelihood import rbm_likelihood
from layerwise.models import MLP
from layerwise.models.rbm import RBM
from layerwise.parameters import RBMSettings
from layerwise.pipelines.rbm.nodes import sample_images
from layerwise.training.gan import extract_features, predict_probabilities, train_feature_classifier
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
CELL, SAMPLES = ("chain", "centered", "falls", "averaged", "seed"), 300


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
    cells = list(product(given.chains, (False, True), (False, True), (0.0, 0.2), given.seeds))
    for cell in cells:
        if cell not in _found(given.out):
            found = train(*cell, given.epochs)
            with given.out.open("a") as file:
                file.write(json.dumps(found) + "\n")
    found = _found(given.out)
    print("| chain | centred | rate | weights | seed | log p | classes, % | coverage | Frechet | seconds |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for chain, centered, falls, averaged, seed in cells:
        each = found[chain, centered, falls, averaged, seed]
        classes = each["class_fractions"]
        print(
            f"| {chain} | {'yes' if centered else 'no'} | {'falls to 0' if falls else 'constant'} "
            f"| {'mean' if averaged else 'last'} | {seed} | {each['log_p']:.1f} ({each['low']:.1f} to "
            f"{each['high']:.1f}) | {100 * min(classes):.0f} to {100 * max(classes):.0f} | {each['coverage']:.2f} "
            f"| {each['frechet_distance']:.1f} | {each['seconds']:.0f} |"
        )


def train(chain: str, centered: bool, falls: bool, averaged: float, seed: int, epochs: int) -> dict[str, Any]:
    """Train one RBM, and return its likelihood and what its samples are like."""
    training, validation, _, columns = rows_of("digits")
    learning = CHAINS[chain] | {"final_learning_rate": 0.0 if falls else CHAINS[chain]["learning_rate"]}
    settings = RBMSettings(
        n_hidden=500,
        batch_size=100,
        chain=chain,
        centered=centered,
        epochs=epochs,
        averaged_epochs=averaged,
        likelihood=AIS,
        **learning,
    )
    rbm, start = RBM(rbm_config(columns, settings), torch_rng(seed, "machine")), time.process_time()
    fit_rbm(rbm, training, validation, settings, seed, dynamic_binarization=columns.dynamic_binarization)
    seconds = time.process_time() - start
    found = rbm_likelihood(
        rbm, training.inputs, validation.inputs, settings.likelihood, seed, images=True
    ).log_probability["test"]
    names = dict(zip(CELL, (chain, centered, falls, averaged, seed), strict=True))
    likelihood = {"log_p": found.midpoint, "low": found.low, "high": found.high}
    settings = settings.model_copy(update={"samples": SAMPLES})
    samples = sample_images(rbm, training, columns, settings, seed).inputs
    classifier = feature_classifier()
    metrics = evaluate_image_samples(
        samples,
        training.inputs,
        validation.inputs,
        validation.inputs,
        partial(extract_features, classifier),
        partial(predict_probabilities, classifier),
    )
    kept = metrics.model_dump(include={"class_fractions", "precision", "coverage", "frechet_distance"})
    return names | likelihood | kept | {"seconds": seconds}


@cache
def feature_classifier() -> MLP:
    """Return the classifier in whose features samples are compared, the same for all of them."""
    training, validation, _, columns = rows_of("digits")
    return train_feature_classifier(training, validation, columns, 0)[0]


def _found(path: Path) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Return what the file has, by `CELL`."""
    lines = path.read_text().splitlines() if path.exists() else []
    rows = [json.loads(line) for line in lines]
    return {tuple(row[name] for name in CELL): row for row in rows}


if __name__ == "__main__":
    main()
