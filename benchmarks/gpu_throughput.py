"""What the training loop reaches of a GPU: rows a second beside bare matrix products, and microseconds a batch.

CD-1 takes five products of a batch with the weights; the bare products are captured in a CUDA graph and are the
ceiling. The loop's figure is the median over the epochs of one training after the first one, with everything that an
epoch does; captured steps and steps from Python are taken in turns, in one process. Without a GPU the same runs on the
CPU, with small numbers, for a look at the script itself.

    python benchmarks/gpu_throughput.py [--only cd vae mlp ring] [--epochs 6] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import torch

from layerwise.data import ColumnBlock, DataSpec, TensorData
from layerwise.models import MLP, MLPConfig
from layerwise.models.rbm import RBM, RBMConfig
from layerwise.training import fit
from layerwise.training.autoencoder import AutoencoderSettings, build_autoencoder, train_autoencoder
from layerwise.training.gan import RingSettings, train_ring_gan
from layerwise.training.rbm import ContrastiveDivergence, ContrastiveDivergenceSettings
from layerwise.training.supervised import FinetuningSettings, finetune
from layerwise.utils import Compute, set_compute, torch_rng

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
# Visible units, hidden units, rows of a batch, batches of an epoch.
SHAPES = [(784, 500, 100, 200), (784, 500, 1000, 40), (784, 4096, 1000, 40), (4096, 4096, 4096, 8)]
PRECISIONS = ["float32", "tf32", "bfloat16"]
# Units of the layers, rows of a batch: from the churn exercise's network to MNIST's.
MLPS = [
    ((11, 64, 32, 1), 10),
    ((11, 64, 32, 1), 100),
    ((784, 100, 10), 100),
    ((784, 500, 500, 2000, 10), 100),
]


@cache
def binary_rows(n: int, columns: int) -> torch.Tensor:
    """Return binary rows, a fifth of them ones, as in MNIST."""
    uniform = torch.empty(n, columns).uniform_(generator=torch_rng(0, "benchmark"))
    return uniform.lt(0.2).float().to(DEVICE)


def bare_products(visible: int, hidden: int, batch: int, precision: str) -> float:
    """Return rows a second of the five products of a batch, captured where there is a GPU."""
    kind = torch.bfloat16 if precision == "bfloat16" else torch.float32
    w, gradient = (torch.randn(visible, hidden, device=DEVICE, dtype=kind) for _ in range(2))
    v, back = (torch.rand(batch, visible, device=DEVICE, dtype=kind) for _ in range(2))
    h = torch.rand(batch, hidden, device=DEVICE, dtype=kind)

    def products() -> None:
        torch.mm(v, w, out=h)
        torch.mm(h, w.t(), out=back)
        torch.mm(back, w, out=h)
        torch.mm(v.t(), h, out=gradient)
        torch.mm(back.t(), h, out=gradient)

    take: Callable[[], None] = products
    if DEVICE.type == "cuda":
        products()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            products()
        take = graph.replay
    times = []
    for _ in range(7):
        _wait()
        began = time.perf_counter()
        for _ in range(50):
            take()
        _wait()
        times.append((time.perf_counter() - began) / 50)
    return batch / statistics.median(times[2:])


def contrastive_divergence(
    visible: int, hidden: int, batch: int, batches: int, precision: str, epochs: int, **settings: Any
) -> float:
    """Return rows a second of CD-1 through the project's loop."""
    rows = TensorData(binary_rows(batch * batches, visible))
    rbm = RBM(RBMConfig(n_visible=visible, n_hidden=hidden), torch_rng(0, "weights")).to(DEVICE)
    chosen = ContrastiveDivergenceSettings(bfloat16=precision == "bfloat16", momentum_epochs=0, **settings)
    plan = ContrastiveDivergence(rbm, chosen, torch_rng(0, "states", device=DEVICE))
    progress = fit(
        plan, rows, epochs=epochs, batch_size=batch, rng=torch_rng(0, "order"), name="benchmark", quiet=True
    )
    return len(rows) / _epoch_seconds(progress.history)


def variational(batch: int, batches: int, epochs: int, precision: str = "float32") -> float:
    """Return microseconds a batch of a VAE 784-512-16, with its validation of 100 rows."""
    columns = DataSpec(
        task="multiclass",
        n_inputs=784,
        n_outputs=10,
        feature_names=(),
        blocks=(ColumnBlock(name="pixels", kind="binary", start=0, stop=784),),
        target_names=(),
        image_shape=(28, 28),
    )
    settings = AutoencoderSettings(
        variant="variational",
        hidden_sizes=(512,),
        latent_size=16,
        activation="relu",
        epochs=epochs,
        batch_size=batch,
        precision=precision,
    )
    network = build_autoencoder(settings, columns, torch_rng(0, "weights")).to(DEVICE)
    rows = TensorData(binary_rows(batch * batches, 784))
    progress, _ = train_autoencoder(network, rows, rows[:100], columns, settings, 0, silent=True)
    return _epoch_seconds(progress.history) / batches * 1e6


def classifier(sizes: tuple[int, ...], batch: int, batches: int, epochs: int) -> float:
    """Return microseconds a batch of back-propagation with dropout and Adam."""
    config = MLPConfig(n_inputs=sizes[0], n_outputs=sizes[-1], hidden_sizes=sizes[1:-1], dropout=0.2)
    network = MLP(config, torch_rng(0, "weights")).to(DEVICE)
    inputs = binary_rows(batch * batches, sizes[0])
    task = "binary" if sizes[-1] == 1 else "multiclass"
    targets = inputs[:, :1] if sizes[-1] == 1 else inputs[:, :10].argmax(1)
    rows = TensorData(inputs, targets)
    settings = FinetuningSettings(epochs=epochs, batch_size=batch, dropout=0.2)
    progress = finetune(network, task, rows, rows[:100], settings, 0, silent=True)
    return _epoch_seconds(progress.history) / batches * 1e6


def ring(epochs: int) -> float:
    """Return seconds of a GAN on the Gaussian ring, of so many epochs of 40 batches."""
    began = time.perf_counter()
    settings = RingSettings(epochs=epochs)
    train_ring_gan(settings, 0, device=DEVICE)
    return time.perf_counter() - began


def _epoch_seconds(history: list[dict[str, float]]) -> float:
    return statistics.median(epoch["seconds"] for epoch in history[1:])


def _wait() -> None:
    if DEVICE.type == "cuda":
        torch.cuda.synchronize()


def both(measure: Callable[[], float]) -> dict[str, float]:
    """Return the measurement with steps from Python and with captured ones."""
    found = {}
    for name, captured in (("eager", False), ("captured", True)):
        set_compute(Compute(capture_steps=captured))
        measure()  # warms up
        found[name] = statistics.median(measure() for _ in range(3))
    return found


def cd_table(epochs: int) -> list[dict[str, Any]]:
    """Measure CD-1 and print its table."""
    found = []
    print("| CD-1, rows/s | precision | bare products | eager | captured | of the bare products |")
    print("|---|---|---|---|---|---|")
    for visible, hidden, batch, batches in SHAPES if DEVICE.type == "cuda" else [(784, 50, 100, 5)]:
        for precision in PRECISIONS:
            torch.set_float32_matmul_precision("high" if precision == "tf32" else "highest")
            bare = bare_products(visible, hidden, batch, precision)
            shape = (visible, hidden, batch, batches)
            row = both(lambda shape=shape, p=precision: contrastive_divergence(*shape, p, epochs))
            share = row["captured"] / bare
            print(
                f"| {visible}-{hidden} b{batch} | {precision} | {bare:,.0f} | {row['eager']:,.0f} | "
                f"{row['captured']:,.0f} | {share:.0%} |",
                flush=True,
            )
            found.append({"shape": shape, "precision": precision, "bare": bare, **row})
    torch.set_float32_matmul_precision("highest")
    return found


def batch_table(cases: dict[str, Callable[[], float]]) -> list[dict[str, Any]]:
    """Measure microseconds a batch and print the table."""
    print("| microseconds a batch | eager | captured |\n|---|---|---|")
    found = []
    for name, measure in cases.items():
        row = both(measure)
        print(f"| {name} | {row['eager']:.0f} | {row['captured']:.0f} |", flush=True)
        found.append({"case": name, **row})
    return found


def main() -> None:
    """Measure what is asked for and print the tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", nargs="*", default=["cd", "vae", "mlp", "ring"])
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    card = torch.cuda.get_device_name() if DEVICE.type == "cuda" else "CPU"
    print(f"{card}, torch {torch.__version__}")
    epochs, n = arguments.epochs, 200 if DEVICE.type == "cuda" else 5
    found: dict[str, Any] = {"card": card, "torch": torch.__version__}
    if "cd" in arguments.only:
        found["cd"] = cd_table(epochs)
    cases: dict[str, Callable[[], float]] = {}
    if "vae" in arguments.only:
        cases["VAE 784-512-16 b100"] = lambda: variational(100, n, epochs)
        cases["VAE 784-512-16 b100, bfloat16"] = lambda: variational(100, n, epochs, "bfloat16")
    if "mlp" in arguments.only:
        for sizes, batch in MLPS:
            name = "-".join(map(str, sizes)) + f" b{batch}"
            cases[name] = lambda sizes=sizes, batch=batch: classifier(sizes, batch, n, epochs)
    if cases:
        found["batches"] = batch_table(cases)
    if "ring" in arguments.only:
        found["ring"] = both(lambda: ring(3))
        print(
            f"gan_ring, 3 epochs: {found['ring']['eager']:.2f} s eager, {found['ring']['captured']:.2f} captured"
        )
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
