"""What a step of backpropagation costs on the CPU, and what each way of taking it bought: microseconds a batch.

Networks by Adam and a variational autoencoder, one thread, in turns, medians of several rounds of processor seconds:
rows by a DataLoader as tutorials take them or by index, torch's optimizer as it is by default, with `foreach`, `fused`,
and over one vector of all parameters, the same step by `torch.compile` (which needs a C++ compiler) with the seconds
that it takes to compile, and this project's loop with everything that an epoch does.

    OMP_NUM_THREADS=1 python benchmarks/backpropagation.py [--rounds 7] [--batches 200]
"""

from __future__ import annotations

import argparse
import logging
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import torch
from autoencoder_speed import Plain, layerwise_loop
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

from layerwise.data import TensorData
from layerwise.models import MLP, MLPConfig
from layerwise.training.optim import flatten_parameters
from layerwise.training.supervised import FinetuningSettings, finetune
from layerwise.utils import torch_rng

LoopOf = Callable[[int], None]
# Units of the layers, rows of a batch; the last one is a variational autoencoder 784-512-16 and its mirror.
MLPS = [((11, 64, 32, 1), 10), ((784, 500, 500, 10), 100)]
VAE_BATCH = 100


def by_loader(x: Tensor, y: Tensor, batch: int) -> Iterator[list[Tensor]]:
    """Yield batches as a tutorial does."""
    yield from DataLoader(TensorDataset(x, y), batch, shuffle=True)


def by_index(x: Tensor, y: Tensor, batch: int) -> Iterator[list[Tensor]]:
    """Yield batches by the numbers of their rows."""
    for index in torch.randperm(len(x)).split(batch):
        yield [x.index_select(0, index), y.index_select(0, index)]


def plain_loop(
    make: Callable[[], tuple[nn.Module, Callable[[Tensor, Tensor], Tensor]]],
    rows: tuple[Tensor, Tensor],
    batch: int,
    *,
    loader: bool = False,
    flat: bool = False,
    compiled: bool = False,
    **options: Any,
) -> LoopOf:
    """Return a loop of torch over so many batches; what it takes once, such as to compile, is done before."""
    network, loss_of = make()
    parameters = list(network.parameters())
    if flat:
        parameters = [flatten_parameters(parameters)]
    optimizer = torch.optim.Adam(parameters, **options)
    loss_of = torch.compile(loss_of) if compiled else loss_of
    batches = by_loader if loader else by_index

    def loop(n: int) -> None:
        for x, y in batches(rows[0][: n * batch], rows[1][: n * batch], batch):
            optimizer.zero_grad(set_to_none=not flat)
            loss_of(x, y).backward()
            optimizer.step()

    loop(2)
    return loop


def mlp(sizes: tuple[int, ...]) -> tuple[nn.Module, Callable[[Tensor, Tensor], Tensor]]:
    """Return a network as a tutorial writes it, and its mean loss."""
    layers: list[nn.Module] = []
    for n, m in pairwise(sizes):
        layers += [nn.Linear(n, m), nn.ReLU()]
    network = nn.Sequential(*layers[:-1])
    if sizes[-1] == 1:
        return network, lambda x, y: functional.binary_cross_entropy_with_logits(network(x), y)
    return network, lambda x, y: functional.cross_entropy(network(x), y)


def vae() -> tuple[nn.Module, Callable[[Tensor, Tensor], Tensor]]:
    """Return the autoencoder as a tutorial writes it, and its mean loss."""
    network = Plain()
    return network, lambda x, y: network(x)


def own_mlp(sizes: tuple[int, ...], rows: tuple[Tensor, Tensor], batch: int) -> LoopOf:
    """Return this project's loop over so many batches of a network."""
    shape = MLPConfig(n_inputs=sizes[0], hidden_sizes=sizes[1:-1], n_outputs=sizes[-1], activation="relu")
    settings = FinetuningSettings(epochs=1, batch_size=batch, optimizer="adam", keep_best_weights=False)

    def loop(n: int) -> None:
        training = TensorData(rows[0][: n * batch], rows[1][: n * batch])
        task = "binary" if sizes[-1] == 1 else "multiclass"
        network = MLP(shape, torch_rng(0, "network"))
        finetune(network, task, training, training[slice(batch)], settings, 0, silent=True)

    return loop


WAYS: dict[str, dict[str, Any]] = {
    "plain torch, DataLoader": {"loader": True},
    "rows by index": {},
    "and foreach": {"foreach": True},
    "and fused": {"fused": True},
    "and one vector, fused": {"fused": True, "flat": True},
    "and torch.compile, fused": {"fused": True, "compiled": True},
}


def measure(title: str, loops: dict[str, LoopOf], compiling: float, given: argparse.Namespace) -> None:
    """Print a row of the table: the median microseconds a batch of each loop, taken in turns."""
    found: dict[str, list[float]] = {name: [] for name in loops}
    for number in range(given.rounds + 1):
        for name, loop in loops.items():
            began = time.process_time()
            loop(given.batches)
            if number:  # the first round warms up
                found[name].append((time.process_time() - began) / given.batches * 1e6)
    cells = [f"{statistics.median(each):,.0f}" for each in found.values()]
    print(f"| {title} | " + " | ".join(cells) + f" | {compiling:.0f} s |", flush=True)


def loops_of(make: Any, rows: tuple[Tensor, Tensor], batch: int) -> tuple[dict[str, LoopOf], float]:
    """Return torch's loops by what is done, and the seconds that compiling took."""
    loops, compiling = {}, 0.0
    for name, way in WAYS.items():
        if way.get("compiled") and shutil.which("c++") is None:
            continue
        began = time.perf_counter()
        loops[name] = plain_loop(make, rows, batch, **way)
        compiling = time.perf_counter() - began  # of the last one, which is compiled
    return loops, compiling


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--batches", type=int, default=200)
    given = parser.parse_args()
    logging.disable(logging.INFO)
    # An own folder, or what an earlier run compiled would be found again.
    folder = tempfile.TemporaryDirectory()
    os.environ["TORCHINDUCTOR_CACHE_DIR"] = folder.name
    print("| network, batch | " + " | ".join([*WAYS, "layerwise"]) + " | compiling |")
    print("|---|" + "---|" * (len(WAYS) + 2))
    for sizes, batch in MLPS:
        x = torch.rand(given.batches * batch, sizes[0], generator=torch_rng(0, "rows"))
        y = (x[:, :1] > 0.5).float() if sizes[-1] == 1 else (10 * x[:, 0]).long()
        loops, compiling = loops_of(lambda sizes=sizes: mlp(sizes), (x, y), batch)
        loops["layerwise"] = own_mlp(sizes, (x, y), batch)
        measure(f"{'-'.join(map(str, sizes))}, {batch}", loops, compiling, given)
    x = torch.rand(given.batches * VAE_BATCH, 784, generator=torch_rng(0, "rows")).round()
    loops, compiling = loops_of(vae, (x, x[:, :1]), VAE_BATCH)
    loops["layerwise"] = lambda n: layerwise_loop(x[: n * VAE_BATCH]) and None  # type: ignore[func-returns-value]
    measure("variational autoencoder 784-512-16, 100", loops, compiling, given)


if __name__ == "__main__":
    main()
