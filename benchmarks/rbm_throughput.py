"""Rows a second of CD-1 through the training loop, beside the bare matrix products and other packages.

One step of CD-1 takes five products of a batch with the weights. The bare products are the ceiling; all figures are
taken in one run, in turns, and the medians of several rounds are compared.

    python benchmarks/rbm_throughput.py [--rows 20000] [--rounds 5]

scikit-learn is always among them; learnergy and rbms are where they are installed (pip install layerwise[benchmark]).
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from typing import Any

import torch

from layerwise.data import TensorData
from layerwise.models.rbm import RBM, RBMConfig
from layerwise.training import fit
from layerwise.training.callbacks import Callback, Reporter
from layerwise.training.rbm import ContrastiveDivergence, ContrastiveDivergenceSettings
from layerwise.utils import torch_rng

N_VISIBLE, N_HIDDEN, BATCH = 784, 500, 100


def data(n: int) -> torch.Tensor:
    """Return binary rows, a fifth of them ones, as in MNIST."""
    draws = torch.empty(n, N_VISIBLE).uniform_(generator=torch_rng(0, "benchmark"))
    return draws.lt(0.2).float()


def bare_products(v: torch.Tensor) -> None:
    """Do the five products of every batch and nothing else."""
    weight, gradient = torch.randn(N_VISIBLE, N_HIDDEN), torch.empty(N_VISIBLE, N_HIDDEN)
    h, back = torch.empty(BATCH, N_HIDDEN), torch.empty(BATCH, N_VISIBLE)
    for batch in v.split(BATCH):
        torch.mm(batch, weight, out=h)
        torch.mm(h, weight.t(), out=back)
        torch.mm(back, weight, out=h)
        torch.mm(batch.t(), h, out=gradient)
        torch.mm(back.t(), h, out=gradient)


def layerwise_loop(v: torch.Tensor, batch: int = BATCH, n_hidden: int = N_HIDDEN, **settings: Any) -> None:
    """Train one epoch through the project's loop, with its callbacks and the epoch's metrics."""
    rbm = RBM(RBMConfig(n_visible=N_VISIBLE, n_hidden=n_hidden), torch_rng(0, "weights"))
    chosen = ContrastiveDivergenceSettings(**settings)
    plan = ContrastiveDivergence(rbm, chosen, torch_rng(0, "states"))
    callbacks: list[Callback] = [Reporter("pretraining/layer_1/")]
    fit(
        plan,
        TensorData(v),
        epochs=1,
        batch_size=batch,
        rng=torch_rng(0, "order"),
        callbacks=callbacks,
    )


def scikit_learn(v: torch.Tensor) -> None:
    """Train one epoch of scikit-learn's persistent CD-1."""
    from sklearn.neural_network import BernoulliRBM

    BernoulliRBM(N_HIDDEN, batch_size=BATCH, n_iter=1, random_state=0).fit(v.numpy())


def learnergy(v: torch.Tensor) -> None:
    """Train one epoch of learnergy's CD-1."""
    from learnergy.models import bernoulli

    rows = torch.utils.data.TensorDataset(v, torch.zeros(len(v)))
    model = bernoulli.RBM(n_visible=N_VISIBLE, n_hidden=N_HIDDEN, steps=1, learning_rate=0.1)
    model.fit(rows, batch_size=BATCH, epochs=1)


def rbms(v: torch.Tensor) -> None:
    """Train one epoch of rbms' CD-1: the step of its own training loop, without the file that this writes each time."""
    from rbms.bernoulli_bernoulli.classes import BBRBM
    from rbms.training.pcd import fit_batch_pcd

    model = BBRBM.init_parameters(num_hiddens=N_HIDDEN, dataset=_Dataset(v), device=v.device, dtype=v.dtype)
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, maximize=True)
    for batch in v.split(BATCH):
        weights = torch.ones(len(batch), 1)
        chains = model.init_chains(len(batch), weights=weights, start_v=batch)
        optimizer.zero_grad(set_to_none=False)
        fit_batch_pcd((batch, weights), chains, model, gibbs_steps=1, beta=1.0, centered=False)
        optimizer.step()


class _Dataset:
    """What rbms reads of its own data sets to initialise an RBM."""

    def __init__(self, data: torch.Tensor) -> None:
        self.data = data
        self.weights = torch.ones(len(data), 1)


CONTENDERS: dict[str, Callable[[torch.Tensor], None]] = {
    "bare products": bare_products,
    "layerwise": layerwise_loop,
    "layerwise, persistent": partial(layerwise_loop, chain="persistent", chains=BATCH),
    "layerwise, centred": partial(layerwise_loop, centered=True),
    "layerwise, bfloat16": partial(layerwise_loop, bfloat16=True),
    "scikit-learn": scikit_learn,
}
CONTENDERS |= {name: train for name, train in (("learnergy", learnergy), ("rbms", rbms)) if find_spec(name)}


def overhead_per_batch(v: torch.Tensor) -> float:
    """Return what the loop adds to a small batch's step, in microseconds: batch 10, 784-64."""
    rows = v[:5000]
    rbm = RBM(RBMConfig(n_visible=N_VISIBLE, n_hidden=64), torch_rng(0, "weights"))
    plan = ContrastiveDivergence(rbm, ContrastiveDivergenceSettings(), torch_rng(0, "states"))
    batches = [TensorData(part) for part in rows.split(10)]
    looped, bare = [], []
    for _ in range(9):
        start = time.perf_counter()
        layerwise_loop(rows, 10, 64)
        looped.append(time.perf_counter() - start)
        start = time.perf_counter()
        for batch in batches:
            plan.training_step(batch)
        bare.append(time.perf_counter() - start)
    return (statistics.median(looped) - statistics.median(bare)) / len(batches) * 1e6


def main() -> None:
    """Measure in turns and print a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    v = data(arguments.rows)
    seconds: dict[str, list[float]] = {name: [] for name in CONTENDERS}
    for round_ in range(arguments.rounds + 1):
        for name, train in CONTENDERS.items():
            start = time.perf_counter()
            train(v)
            if round_:  # the first round warms up
                seconds[name].append(time.perf_counter() - start)
    bare = statistics.median(seconds["bare products"])
    print(f"CD-1, {N_VISIBLE}-{N_HIDDEN}, batch {BATCH}, float32, {torch.get_num_threads()} threads")
    print("| implementation | rows/s | of the bare products |\n|---|---|---|")
    for name, values in seconds.items():
        middle = statistics.median(values)
        print(f"| {name} | {len(v) / middle:,.0f} | {bare / middle:.0%} |")
    print(f"the loop's own cost at batch 10, 784-64: {overhead_per_batch(v):.0f} us a batch")


if __name__ == "__main__":
    main()
