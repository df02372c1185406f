"""An RBM with Gaussian units on a table, over two decades of learning rates: its metrics on validation rows.

    LAYERWISE_DATA=... python benchmarks/gaussian_rates.py [--env churn] [--rates 0.001 0.1] [--params centered=true]

Each line is an RBM: reconstruction loss and log pseudo-likelihood (nats a row) of validation rows after the first
and after the last epoch, or why it was stopped.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

import yaml
from anomalies import rows_of
from kedro.framework.startup import bootstrap_project

from layerwise.models.rbm import RBM
from layerwise.training import TrainingError
from layerwise.training.rbm import RBMTrainingSettings, fit_rbm, rbm_config
from layerwise.utils import torch_rng

PROJECT = Path(__file__).parent.parent
RATES = (0.001, 0.003, 0.01, 0.03, 0.1)
WATCHED = ("validation/reconstruction", "validation/pseudo_likelihood")


def main() -> None:
    """Train an RBM at each rate and print a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--env", default="churn")
    parser.add_argument("--rates", type=float, nargs="+", default=RATES)
    parser.add_argument("--params", nargs="*", default=[], help="settings of rbm, as visible=gaussian")
    given = parser.parse_args()
    logging.disable(logging.INFO)
    bootstrap_project(PROJECT)
    training, validation, _, columns = rows_of(given.env)
    own = {name: yaml.safe_load(value) for name, value in (each.split("=") for each in given.params)}
    print(
        "| learning rate | reconstruction, first and last epoch | log pseudo-likelihood, first and last epoch |"
    )
    print("|---|---|---|")
    for rate in given.rates:
        settings = RBMTrainingSettings(
            **{"n_hidden": 100, "gaussian_learning_rate": rate, "pseudo_likelihood_rows": 500} | own
        )
        rbm = RBM(rbm_config(columns, settings), torch_rng(0, "machine"))
        try:
            history = fit_rbm(rbm, training, validation, settings, 0).history["rbm"]
        except TrainingError as error:
            print(f"| {rate:g} | stopped: {error} | |")
            continue
        ends = [(history[0][name], history[-1][name]) for name in WATCHED]
        print(f"| {rate:g} | " + " | ".join(f"{first:.3f} {last:.3f}" for first, last in ends) + " |")


if __name__ == "__main__":
    main()
