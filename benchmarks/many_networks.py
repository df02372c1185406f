"""Many networks at once against one after another: `python benchmarks/many_networks.py`.

The network and the rows have the shape of the churn exercise: 11-6-6-1, 5,360 training rows, batches of 10, Adamax. The
rows are drawn here, since the time does not depend on what they say. With `--keras` and Keras installed (it is no
dependency), the same work by Keras too. Times are of --epochs epochs, all in one run, scaled to the exercise's 100;
with `--cpu` they are processor seconds.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import torch

from layerwise.data import TensorData
from layerwise.models import MLP, MLPConfig
from layerwise.training.supervised import FinetuningSettings, finetune, train_network_stack
from layerwise.utils import torch_rng


def rows(n: int, seed: int) -> TensorData:
    """Return standardised inputs and a target that a net can learn."""
    rng = torch.Generator().manual_seed(seed)
    inputs = torch.randn(n, 11, generator=rng)
    return TensorData(inputs, (inputs[:, :1] + inputs[:, 1:2].square() > 1.5).float())


def networks(n: int) -> list[MLP]:
    """Return n networks of the exercise, each from its own seed."""
    shape = MLPConfig(
        n_inputs=11, n_outputs=1, hidden_sizes=(6, 6), activation="relu", initializer="he_uniform"
    )
    return [MLP(shape, torch_rng(seed, "network")) for seed in range(n)]


def keras_fit(training: TensorData, validation: TensorData, epochs: int) -> Callable[[], object]:
    """Return what trains the network in Keras; it has been traced, which is no part of the work."""
    import keras

    net = keras.Sequential(
        [
            keras.layers.Input((11,)),
            keras.layers.Dense(6, "relu", kernel_initializer="he_uniform"),
            keras.layers.Dense(6, "relu", kernel_initializer="he_uniform"),
            keras.layers.Dense(1, "sigmoid"),
        ]
    )
    net.compile("adamax", "binary_crossentropy", metrics=["accuracy"])
    arrays = [t.numpy() for t in (training.inputs, training.targets, validation.inputs, validation.targets)]
    net.fit(arrays[0][:20], arrays[1][:20], batch_size=10, epochs=1, verbose=0)
    return lambda: net.fit(
        arrays[0], arrays[1], validation_data=tuple(arrays[2:]), batch_size=10, epochs=epochs, verbose=0
    )


def main() -> None:
    """Time one network, and each number of them together."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--numbers", type=int, nargs="+", default=[1, 8, 64])
    parser.add_argument("--keras", action="store_true")
    parser.add_argument("--cpu", action="store_true")
    given = parser.parse_args()
    clock = time.process_time if given.cpu else time.perf_counter
    torch.set_num_threads(1)
    training, validation = rows(5360, 0), rows(2640, 1)
    settings = FinetuningSettings(
        epochs=given.epochs,
        batch_size=10,
        optimizer="adamax",
        epsilon=1e-7,
        schedule="constant",
        keep_best_weights=False,
    )

    def best(work) -> float:  # type: ignore[no-untyped-def]
        found = []
        for _ in range(given.repeats):
            began = clock()
            work()
            found.append(clock() - began)
        return min(found)

    one = best(lambda: finetune(networks(1)[0], "binary", training, validation, settings, 0, silent=True))
    scale = 100 / given.epochs
    print(f"one network in the loop: {one:.2f} s, {scale * one:.1f} s for 100 epochs")
    keras = None
    if given.keras:
        train = keras_fit(training, validation, given.epochs)
        began = clock()
        train()
        keras = clock() - began
        print(f"one network in Keras: {scale * keras:.1f} s for 100 epochs")
    for n in given.numbers:
        seconds = best(
            lambda n=n: train_network_stack(
                networks(n), "binary", training, validation, settings, list(range(n))
            )
        )
        words = f"{n} together: {scale * seconds:.1f} s for 100 epochs, {seconds / one:.2f} times one in the loop, "
        words += f"{n * one / seconds:.1f} times faster than one after another"
        if keras is not None:
            words += f", {n * keras / seconds:.0f} times faster than Keras"
        print(words)


if __name__ == "__main__":
    main()
