"""Rows a second of CD-1 through the training loop, beside the bare matrix products and other packages.

One step of CD-1 takes five products of a batch with the weights. The bare products are the ceiling; all figures are
taken in one run, in turns, and the medians of several rounds are compared.

    python benchmarks/rbm_throughput.py [--rows 20000] [--rounds 5] [--cpu]

`--cpu` counts processor seconds and not time, for a machine that has other work; the ratios are then of these.

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
from layerwise.models.rbm.units import BernoulliUnits
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


def overhead_per_batch(v: torch.Tensor, clock: Callable[[], float]) -> float:
    """Return what the loop adds to a small batch's step, in microseconds: batch 10, 784-64."""
    rows = v[:5000]
    rbm = RBM(RBMConfig(n_visible=N_VISIBLE, n_hidden=64), torch_rng(0, "weights"))
    plan = ContrastiveDivergence(rbm, ContrastiveDivergenceSettings(), torch_rng(0, "states"))
    batches = [TensorData(part) for part in rows.split(10)]
    looped, bare = [], []
    for _ in range(9):
        start = clock()
        layerwise_loop(rows, 10, 64)
        looped.append(clock() - start)
        start = clock()
        for batch in batches:
            plan.training_step(batch)
        bare.append(clock() - start)
    return (statistics.median(looped) - statistics.median(bare)) / len(batches) * 1e6


def parts() -> dict[str, Callable[[], object]]:
    """Return what a batch does beside its products, an operation each, and what might take its place."""
    rng = torch_rng(0, "benchmark")
    h, v, states = (torch.rand(BATCH, n) for n in (N_HIDDEN, N_VISIBLE, N_HIDDEN))
    x, rows, order = torch.randn(BATCH, N_VISIBLE), data(2000), torch.randperm(2000)[:BATCH]
    weight, velocity = torch.rand(N_VISIBLE, N_HIDDEN), torch.rand(N_VISIBLE, N_HIDDEN)
    both_v, both_h = torch.rand(2 * BATCH, N_VISIBLE), torch.rand(2 * BATCH, N_HIDDEN)
    units = BernoulliUnits()
    words, thresholds = torch.empty(BATCH * N_HIDDEN // 4, dtype=torch.int64), torch.empty(BATCH, N_HIDDEN)
    optimizer = torch.optim.SGD([weight.clone().requires_grad_()], 1.0, momentum=0.5, fused=True)
    (fused,) = optimizer.param_groups[0]["params"]
    fused.grad = torch.empty_like(weight)

    def sixteen_bits() -> None:
        words.random_(-(2**63), 2**63 - 1, generator=rng)
        torch.mul(h, 65536, out=thresholds).sub_(32768)
        torch.lt(words.view(torch.int16).view(BATCH, N_HIDDEN), thresholds, out=states)

    def one_pass() -> None:
        torch.mm(both_v.t(), both_h, out=fused.grad)
        optimizer.step()

    return {
        "uniform numbers of the hidden units": lambda: torch.lt(h.uniform_(generator=rng), 0.5, out=states),
        "  16 bits a number in their place": sixteen_bits,
        "the loss": lambda: units.loss(x.clone(), v),
        "three sigmoids": lambda: (h.sigmoid_(), h.sigmoid_(), v.sigmoid_()),
        "rows by index": lambda: rows[order],
        "sums for the biases": lambda: (v.sum(0), v.sum(0), both_h.sum(0)),
        "both outer products and the velocity": lambda: velocity.addmm_(
            both_v.t(), both_h, beta=0.5, alpha=1e-4
        ),
        "weights and velocity": lambda: weight.add_(velocity, alpha=1e-9),
        "  the last two by a fused optimizer": one_pass,
    }


def print_parts(rounds: int, clock: Callable[[], float]) -> None:
    """Print the microseconds of each part, medians of turns of 50."""
    found: dict[str, list[float]] = {name: [] for name in parts()}
    for _ in range(rounds):
        for name, work in parts().items():
            work()
            start = clock()
            for _ in range(50):
                work()
            found[name].append((clock() - start) / 50 * 1e6)
    print("| part of a batch | microseconds |\n|---|---|")
    for name, values in found.items():
        print(f"| {name} | {statistics.median(values):.0f} |")


def main() -> None:
    """Measure in turns and print a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cpu", action="store_true")
    arguments = parser.parse_args()
    clock = time.process_time if arguments.cpu else time.perf_counter
    v = data(arguments.rows)
    seconds: dict[str, list[float]] = {name: [] for name in CONTENDERS}
    for round_ in range(arguments.rounds + 1):
        for name, train in CONTENDERS.items():
            start = clock()
            train(v)
            if round_:  # the first round warms up
                seconds[name].append(clock() - start)
    bare = statistics.median(seconds["bare products"])
    print(f"CD-1, {N_VISIBLE}-{N_HIDDEN}, batch {BATCH}, float32, {torch.get_num_threads()} threads")
    kind = "a processor second" if arguments.cpu else "a second"
    print(f"| implementation | rows {kind} | of the bare products |\n|---|---|---|")
    for name, values in seconds.items():
        middle = statistics.median(values)
        print(f"| {name} | {len(v) / middle:,.0f} | {bare / middle:.0%} |")
    print_parts(arguments.rounds, clock)
    print(f"the loop's own cost at batch 10, 784-64: {overhead_per_batch(v, clock):.0f} us a batch")


if __name__ == "__main__":
    main()
