"""What products of fewer bits change: networks, stacks and autoencoders of MNIST in float32, TF32 and bfloat16.

bfloat16 is what `finetuning.precision` and its like set, as the processor computes it. TF32, which
`compute.matmul_precision: high` allows a GPU, is computed as a GPU does: both matrices of each product are rounded to
10 bits of mantissa, and products are added up in float32. Everything else is the same, the seeds too, so that
differences are paired. All figures are of validation rows, after training, in float32.

    LAYERWISE_DATA=... python benchmarks/precision.py [--only network stack rbm vae] [--seeds 5] [--rows 20000]
"""

from __future__ import annotations

import argparse
import logging
import statistics
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import torch
from kedro.framework.startup import bootstrap_project
from pretraining_rows import Rows, load
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from layerwise.models import MLP, MLPConfig
from layerwise.models.autoencoder import reconstruction_losses
from layerwise.models.rbm import RBM, RBMConfig, log_pseudo_likelihood
from layerwise.training.autoencoder import AutoencoderSettings, build_autoencoder, train_autoencoder
from layerwise.training.rbm import PretrainingSettings, RBMTrainingSettings, fit_rbm, pretrain_new_dbn
from layerwise.training.supervised import FinetuningSettings, finetune, probabilities
from layerwise.utils import torch_rng

PRECISIONS = ("float32", "TF32", "bfloat16")
# Where the two matrices of a product stand among its arguments.
MATRICES = {
    "mm": (0, 1),
    "bmm": (0, 1),
    "addmm": (1, 2),
    "addmm_": (1, 2),
    "baddbmm": (1, 2),
    "baddbmm_": (1, 2),
}
# Bits of a float32 mantissa that TF32 has none of.
LOST_BITS = 13


class RoundedProducts(TorchDispatchMode):
    """Round both matrices of each product to TF32's 10 bits of mantissa, the nearest value."""

    def __init__(self) -> None:
        super().__init__()
        self.products = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        places = MATRICES.get(func.overloadpacket.__name__, ())
        if places:
            self.products += 1
            args = tuple(rounded(x) if k in places else x for k, x in enumerate(args))
        return func(*args, **(kwargs or {}))


def rounded(matrix: Tensor) -> Tensor:
    """Return a float32 matrix with TF32's bits."""
    if matrix.dtype != torch.float32:
        return matrix
    half = 1 << (LOST_BITS - 1)
    return ((matrix.contiguous().view(torch.int32) + half) & -(1 << LOST_BITS)).view(torch.float32)


def products_of(precision: str) -> AbstractContextManager[Any]:
    """Return the context in which TF32 is computed as a GPU does; the other precisions are settings."""
    return RoundedProducts() if precision == "TF32" else nullcontext()


def error_of(network: MLP, rows: Rows) -> float:
    """Return the percentage of validation rows whose class is wrong."""
    with torch.no_grad():
        found = probabilities("multiclass", network.eval()(rows.validation.inputs)).argmax(1)
    return 100 * float((found != rows.validation.targets).float().mean())


def train_network(rows: Rows, seed: int, precision: str) -> float:
    """Return the error of 784-500-500-10 after ten epochs, in percent."""
    shape = MLPConfig(n_inputs=784, n_outputs=10, hidden_sizes=(500, 500), activation="relu")
    return _finetuned(MLP(shape, torch_rng(seed, "network")), rows, seed, precision)


def train_stack(rows: Rows, seed: int, precision: str) -> float:
    """Return the error of a network that starts from two RBMs, of five epochs each, in percent."""
    settings = PretrainingSettings(epochs=5, bfloat16=precision == "bfloat16")
    with products_of(precision):
        stack, _ = pretrain_new_dbn(
            (500, 500), rows.training, rows.validation, rows.columns, settings, seed, silent=True
        )
    shape = MLPConfig(n_inputs=784, n_outputs=10, hidden_sizes=(500, 500), activation="sigmoid")
    network = MLP(shape, torch_rng(seed, "network"))
    stack.copy_to(network)
    return _finetuned(network, rows, seed, precision)


def _finetuned(network: MLP, rows: Rows, seed: int, precision: str) -> float:
    settings = FinetuningSettings(
        epochs=10, learning_rate=1e-3, batch_size=100, precision="bfloat16" if precision == "bfloat16" else "float32"
    )  # fmt: skip
    with products_of(precision):
        finetune(network, "multiclass", rows.training, rows.validation, settings, seed, silent=True)
    return error_of(network, rows)


def train_rbm(rows: Rows, seed: int, precision: str) -> float:
    """Return the pseudo-likelihood of 784-500 after ten epochs of CD-1, in nats a row."""
    settings = RBMTrainingSettings(n_hidden=500, epochs=10, bfloat16=precision == "bfloat16")
    rbm = RBM(RBMConfig(n_visible=784, n_hidden=500), torch_rng(seed, "rbm"))
    with products_of(precision):
        fit_rbm(rbm, rows.training, rows.validation, settings, seed)
    return float(log_pseudo_likelihood(rbm, rows.validation.inputs[:1000].round()).mean())


def train_vae(rows: Rows, seed: int, precision: str) -> float:
    """Return the bound of a variational autoencoder 784-512-16 after ten epochs, in nats a row."""
    settings = AutoencoderSettings(
        variant="variational", hidden_sizes=(512,), latent_size=16, epochs=10, learning_rate=2e-3,
        precision="bfloat16" if precision == "bfloat16" else "float32",
    )  # fmt: skip
    network = build_autoencoder(settings, rows.columns, torch_rng(seed, "autoencoder"))
    with products_of(precision):
        train_autoencoder(network, rows.training, rows.validation, rows.columns, settings, seed, silent=True)
    return -float(reconstruction_losses(network, rows.validation.inputs).mean())


TRAININGS: dict[str, tuple[str, Callable[[Rows, int, str], float]]] = {
    "network": ("network 784-500-500-10, validation error, %", train_network),
    "stack": ("the same from two RBMs, validation error, %", train_stack),
    "rbm": ("RBM 784-500, pseudo-likelihood, nats", train_rbm),
    "vae": ("variational autoencoder 784-512-16, bound, nats", train_vae),
}


def main() -> None:
    """Train with every precision and seed, and print a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", nargs="+", choices=list(TRAININGS), default=list(TRAININGS))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--rows", type=int, default=20_000)
    given = parser.parse_args()
    bootstrap_project(Path(__file__).parent.parent)
    logging.disable(logging.INFO)
    rows = load("mnist", given.rows)
    print(f"| {given.rows:,} training rows of MNIST, {given.seeds} seeds | " + " | ".join(PRECISIONS) + " |")
    print("|---|" + "---|" * len(PRECISIONS))
    for name in given.only:
        title, train = TRAININGS[name]
        began = time.perf_counter()
        found = {p: [train(rows, seed, p) for seed in range(given.seeds)] for p in PRECISIONS}
        cells = [f"{statistics.mean(found['float32']):.2f}"]
        for precision in PRECISIONS[1:]:
            pairs = zip(found[precision], found["float32"], strict=True)
            differences = [one - other for one, other in pairs]
            error = statistics.stdev(differences) / len(differences) ** 0.5 if len(differences) > 1 else 0.0
            cells.append(
                f"{statistics.mean(found[precision]):.2f}, difference {statistics.mean(differences):+.3f} ± {error:.3f}"
            )
        print(f"| {title} | " + " | ".join(cells) + f" | ({time.perf_counter() - began:.0f} s)", flush=True)


if __name__ == "__main__":
    main()
