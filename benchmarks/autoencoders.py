"""Two classic effects of autoencoders on the digits of a problem, each in one table.

contraction: |J|^2 of one-layer encoders of as many units, plain, denoising and contractive (Rifai et al. 2011), with
the squared error and a linear probe of the latents.
vanishing: the squared error of 784-1000-500-250-30 and its mirror, all sigmoid, from small random weights and from a
DBN (Hinton & Salakhutdinov 2006), beside principal components.

    LAYERWISE_DATA=... python benchmarks/autoencoders.py contraction [--env mnist] [--units 500] [--epochs 20]
    LAYERWISE_DATA=... python benchmarks/autoencoders.py vanishing [--env mnist] [--epochs 20]
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path
from typing import Any

import torch
from anomalies import rows_of
from kedro.framework.startup import bootstrap_project

from layerwise.data import DataSpec, TensorData
from layerwise.evaluation.metrics import linear_probe
from layerwise.evaluation.unsupervised import fit_pca, reconstruction_sse
from layerwise.models.autoencoder import (
    Autoencoder,
    encode_rows,
    from_dbn,
    mean_jacobian_norm,
    reconstruct_rows,
    unroll,
)
from layerwise.models.rbm import DBN, DBNConfig
from layerwise.training.autoencoder import AutoencoderSettings, build_autoencoder, train_autoencoder
from layerwise.training.rbm import PretrainingSettings, pretrain_dbn
from layerwise.utils import torch_rng

PROJECT = Path(__file__).parent.parent
SIZES = (1000, 500, 250, 30)
# Rows whose Jacobians are computed: each is a matrix of its own.
JACOBIAN_ROWS = 500


def squared_error(network: Autoencoder, rows: torch.Tensor) -> float:
    """Return the mean over rows of |row - reconstruction|^2."""
    return float(reconstruction_sse(rows, reconstruct_rows(network, rows)).mean())


def contraction(
    parts: tuple[TensorData, TensorData, TensorData, DataSpec], given: argparse.Namespace
) -> None:
    """Train one encoder of each kind and print their Jacobians."""
    training, validation, test, columns = parts
    kinds: dict[str, dict[str, Any]] = {
        "plain": {"variant": "compression", "hidden_sizes": (), "latent_activation": "sigmoid", "tied": True,
                  "initializer": "glorot_uniform"},
        "denoising, masking 0.25": {"variant": "denoising", "corruption": "masking"},
        "contractive, lambda 0.1": {"variant": "contractive", "contraction": 0.1},
    }  # fmt: skip
    print("| encoder | mean squared Jacobian norm | squared error of a test row | error of a linear probe |")
    print("|---|---|---|---|")
    for name, kind in kinds.items():
        settings = AutoencoderSettings(
            **kind, latent_size=given.units, epochs=given.epochs, learning_rate=0.001
        )
        network = build_autoencoder(settings, columns, torch_rng(0, "contraction"))
        train_autoencoder(network, training, validation, columns, settings, 0, silent=True)
        assert isinstance(network, Autoencoder)
        encoded = [(encode_rows(network, rows.inputs), rows.targets) for rows in (training, validation, test)]
        error = linear_probe(columns.task, *encoded, n_outputs=columns.n_outputs, n_bootstrap=10)[
            "error"
        ].value
        norm = mean_jacobian_norm(network, test.inputs[:JACOBIAN_ROWS])
        print(
            f"| {name} | {norm:.2f} | {squared_error(network, test.inputs):.2f} | {error:.4f} |", flush=True
        )


def vanishing(parts: tuple[TensorData, TensorData, TensorData, DataSpec], given: argparse.Namespace) -> None:
    """Train the same deep sigmoid autoencoder from two initializations and print a test row's squared error."""
    training, validation, test, columns = parts
    settings = AutoencoderSettings(
        variant="deep",
        activation="sigmoid",
        initializer="normal",
        initializer_gain=0.2,
        epochs=given.epochs,
        learning_rate=0.001,
    )
    small = build_autoencoder(settings, columns, torch_rng(0, "vanishing"))
    dbn = DBN(DBNConfig(n_visible=columns.n_inputs, hidden_sizes=SIZES), torch_rng(0, "stack"))
    pretrain_dbn(dbn, training, validation, PretrainingSettings(epochs=10, final_learning_rate=None), 0)
    networks = {"N(0, 0.01^2)": small, "a DBN": unroll(from_dbn(dbn))}
    print("| initialization | squared error of a test row |")
    print("|---|---|")
    for name, network in networks.items():
        train_autoencoder(network, training, validation, columns, settings, 0, silent=True)
        assert isinstance(network, Autoencoder)
        print(f"| {name} | {squared_error(network, test.inputs):.2f} |", flush=True)
    for n in (2, 30):
        components = fit_pca(training.inputs, n)
        error = reconstruction_sse(test.inputs, components.decode(components.encode(test.inputs))).mean()
        print(f"| {n} principal components instead | {float(error):.2f} |")


def main() -> None:
    """Print the table that was asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("table", choices=("contraction", "vanishing"))
    parser.add_argument("--env", default="mnist")
    parser.add_argument("--units", type=int, default=500)
    parser.add_argument("--epochs", type=int, default=20)
    given = parser.parse_args()
    logging.disable(logging.INFO)
    bootstrap_project(PROJECT)
    {"contraction": contraction, "vanishing": vanishing}[given.table](rows_of(given.env), given)


if __name__ == "__main__":
    main()
