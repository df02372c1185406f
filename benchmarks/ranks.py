"""Rows a second of one process on one and on all threads, and of as many ranks of one thread each; more ranks on paper.

    python benchmarks/ranks.py [--ranks 2] [--epochs 5] [--rows 8000]

Each training goes through the loop as in a run, by `compute.ranks`; the first epoch is not counted. A step's bytes are
those that a rank sends in a ring, 2 (N - 1) / N of all gradients. On paper a step of N ranks takes the seconds of a
rank's rows at the rate of one thread, those of the bytes at a network's rate, and a latency for each of 2 (N - 1) hops.
"""

from __future__ import annotations

import argparse
import statistics
from itertools import pairwise

import torch

from layerwise.data import TensorData
from layerwise.models import MLP, MLPConfig
from layerwise.models.rbm import RBM, RBMConfig
from layerwise.training import eager_steps, fit
from layerwise.training.rbm.contrastive_divergence import ContrastiveDivergence
from layerwise.training.rbm.settings import ContrastiveDivergenceSettings
from layerwise.training.supervised import FinetuningSettings
from layerwise.training.supervised.backpropagation import Backpropagation
from layerwise.utils import Compute, set_compute, torch_rng
from layerwise.utils.ranks import in_ranks

INPUTS, CLASSES = 784, 10
# Bytes a second and seconds a hop: 10 Gbit Ethernet, and NVLink within a computer.
NETWORKS = {"10 Gbit/s, 50 us": (1.25e9, 50e-6), "300 GB/s, 5 us": (300e9, 5e-6)}
# Kind, units of each hidden layer, rows of a batch.
CASES = [
    ("mlp", (500, 500), 100),
    ("mlp", (500, 500), 500),
    ("mlp", (500, 500), 1000),
    ("mlp", (500, 500), 4000),
    ("mlp", (1000, 1000), 1000),
    ("mlp", (1000, 1000), 4000),
    ("rbm", (500,), 100),
    ("rbm", (500,), 1000),
    ("rbm", (500,), 4000),
]


@in_ranks
def rows_per_second(kind: str, sizes: tuple[int, ...], batch_size: int, epochs: int, n: int) -> float:
    """Return the median over epochs, without the first."""
    eager_steps.LEAST_ROWS = 1
    rng = torch_rng(0, "rows")
    rows = TensorData(torch.rand(n, INPUTS, generator=rng), torch.randint(CLASSES, (n,), generator=rng))
    plan: Backpropagation | ContrastiveDivergence
    if kind == "mlp":
        network = MLP(
            MLPConfig(n_inputs=INPUTS, n_outputs=CLASSES, hidden_sizes=sizes), torch_rng(0, "network")
        )
        plan = Backpropagation(network, "multiclass", FinetuningSettings(), torch_rng(0, "dropout"))
    else:
        rbm = RBM(RBMConfig(n_visible=INPUTS, n_hidden=sizes[0]), torch_rng(0, "network"))
        plan = ContrastiveDivergence(rbm, ContrastiveDivergenceSettings(), torch_rng(0, "states"))
    progress = fit(plan, rows, epochs=epochs, batch_size=batch_size, rng=torch_rng(0, "order"), quiet=True)
    return n / statistics.median(epoch["seconds"] for epoch in progress.history[1:])


def n_parameters(kind: str, sizes: tuple[int, ...]) -> int:
    """Return how many numbers the ranks add up in a step."""
    if kind == "rbm":
        return INPUTS * sizes[0] + INPUTS + sizes[0]
    widths = [INPUTS, *sizes, CLASSES]
    return sum((a + 1) * b for a, b in pairwise(widths))


def on_paper(rate: float, n_bytes: int, batch_size: int, ranks: int, network: tuple[float, float]) -> float:
    """Return rows a second of several ranks, of one rank's rate on a core or GPU of its own."""
    bandwidth, latency = network
    moved = 2 * (ranks - 1) / ranks * n_bytes
    seconds = batch_size / ranks / rate + moved / bandwidth + 2 * (ranks - 1) * latency
    return batch_size / seconds


def main() -> None:
    """Measure and print both tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--rows", type=int, default=8000)
    given = parser.parse_args()
    n = given.ranks
    measured = {}
    print(f"| case | 1 thread | {n} threads | {n} ranks | ranks / threads | MB a step and rank |")
    print("|---" * 6 + "|")
    for kind, sizes, batch_size in CASES:
        case = kind, sizes, batch_size, given.epochs, given.rows
        set_compute(Compute("cpu"))
        rates = []
        for threads in (1, n):
            torch.set_num_threads(threads)
            rates.append(rows_per_second(*case))
        set_compute(Compute("cpu", ranks=n))
        rates.append(rows_per_second(*case))
        n_bytes = 4 * n_parameters(kind, sizes)
        measured[kind, sizes, batch_size] = rates[0], n_bytes
        shown = " | ".join(f"{rate:,.0f}" for rate in rates)
        moved = 2 * (n - 1) / n * n_bytes / 1e6
        print(
            f"| {kind} {INPUTS}-{'-'.join(map(str, sizes))}, batch {batch_size} | {shown} | "
            f"{rates[2] / rates[1]:.2f} | {moved:.1f} |",
            flush=True,
        )
    for name, network in NETWORKS.items():
        print(f"\nOn paper, {name}: times the rate of one rank\n")
        print(
            "| case | " + " | ".join(f"{k} ranks" for k in (2, 4, 8, 16, 32, 64)) + " |\n|---|" + "---|" * 6
        )
        for (kind, sizes, batch_size), (rate, n_bytes) in measured.items():
            gains = [on_paper(rate, n_bytes, batch_size, k, network) / rate for k in (2, 4, 8, 16, 32, 64)]
            print(
                f"| {kind} {INPUTS}-{'-'.join(map(str, sizes))}, batch {batch_size} | "
                + " | ".join(f"{gain:.1f}" for gain in gains)
                + " |"
            )


if __name__ == "__main__":
    main()
