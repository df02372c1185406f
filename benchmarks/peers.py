"""The same work by other packages: processor seconds as multiples of layerwise's.

    python benchmarks/peers.py [--rounds 3] [--work "CD-1" ...] [--json peers.json]

Each kind of work has the same rows, layers, batches and epochs for all, on one thread. It is done in turns, and the
ratio is that of the medians, after a first round that is not counted. Peers are there where they can be imported:
scikit-learn always is; learnergy, rbms, pythae and PyOD come with pip install layerwise[benchmark]; ctgan and Keras
(the backend that KERAS_BACKEND names) are no dependencies.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import logging
import statistics
import time
import warnings
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import autoencoder_speed
import many_networks
import numpy as np
import pandas as pd
import rbm_throughput
import torch

from layerwise.estimators import AutoencoderDetector, TabularGAN
from layerwise.training.supervised import FinetuningSettings, finetune

Train = Callable[[], Any]
TABLE_ROWS, EPOCHS, TABLE_BATCH = 5000, 5, 100
GAN_BATCH, GAN_LAYERS, PAC = 500, (256, 256), 10


def table() -> pd.DataFrame:
    """Return ten numbers, half of them of two modes, and three categories."""
    rng = np.random.default_rng(0)
    values = rng.standard_normal((TABLE_ROWS, 10))
    values[:, :5] += 4 * rng.integers(0, 2, (TABLE_ROWS, 5))
    frame = pd.DataFrame(values, columns=[f"x{k}" for k in range(10)])
    for k, size in enumerate((2, 5, 10)):
        frame[f"c{k}"] = [f"v{each}" for each in rng.integers(0, size, TABLE_ROWS)]
    return frame


def contrastive_divergence() -> dict[str, Train]:
    """Return one epoch of CD-1, 784-500, batches of 100."""
    rows = rbm_throughput.data(5000)
    names = ("layerwise", "scikit-learn", "learnergy", "rbms")
    return {
        name: partial(rbm_throughput.CONTENDERS[name], rows)
        for name in names
        if name in rbm_throughput.CONTENDERS
    }


def variational() -> dict[str, Train]:
    """Return one epoch of a variational autoencoder 784-512-16, batches of 100."""
    rows = autoencoder_speed.data(5000)
    own = {
        "layerwise": autoencoder_speed.layerwise_loop,
        "plain torch, DataLoader": autoencoder_speed.plain_loop,
    }
    peers = {"pythae": autoencoder_speed.pythae_loop} if find_spec("pythae") else {}
    return {name: partial(loop, rows) for name, loop in (own | peers).items()}


def outliers() -> dict[str, Train]:
    """Return an outlier detector of 40 numbers, 40-64-8-64-40, batches of 100."""
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((TABLE_ROWS, 8)) @ rng.standard_normal((8, 40))
    own = AutoencoderDetector(
        latent_size=32,
        hidden_sizes=(64,),
        activation="relu",
        epochs=EPOCHS,
        batch_size=TABLE_BATCH,
        random_state=0,
    )
    found: dict[str, Train] = {"layerwise": lambda: own.fit(rows)}
    if find_spec("pyod"):
        from pyod.models.auto_encoder import AutoEncoder

        peer = AutoEncoder(
            hidden_neuron_list=[64, 8],
            epoch_num=EPOCHS,
            batch_size=TABLE_BATCH,
            batch_norm=False,
            dropout_rate=0.0,
            verbose=0,
            device="cpu",
        )
        found["PyOD"] = lambda: peer.fit(rows)
    return found


def tables() -> dict[str, Train]:
    """Return a conditional GAN of ten numbers and three categories, batches of 500, ten rows scored together."""
    rows = table()
    own = TabularGAN(
        generator_sizes=GAN_LAYERS, discriminator_sizes=GAN_LAYERS, pac=PAC, epochs=EPOCHS, batch_size=GAN_BATCH,
        objective="wasserstein_penalty", random_state=0,
    )  # fmt: skip
    found: dict[str, Train] = {"layerwise": lambda: own.fit(rows)}
    if find_spec("ctgan"):
        from ctgan import CTGAN

        def peer() -> None:
            CTGAN(
                generator_dim=GAN_LAYERS, discriminator_dim=GAN_LAYERS, pac=PAC, epochs=EPOCHS,
                batch_size=GAN_BATCH, enable_gpu=False,
            ).fit(rows, ["c0", "c1", "c2"])  # fmt: skip

        found["CTGAN"] = peer
    return found


def small_network() -> dict[str, Train]:
    """Return one epoch of a network 11-6-6-1, batches of 10, Adamax: 5,360 rows, and 2,640 for validation."""
    rows = many_networks.rows(5360, 0), many_networks.rows(2640, 1)
    settings = FinetuningSettings(
        epochs=1,
        batch_size=10,
        optimizer="adamax",
        epsilon=1e-7,
        schedule="constant",
        keep_best_weights=False,
    )

    def own() -> None:
        finetune(many_networks.networks(1)[0], "binary", *rows, settings, 0, silent=True)

    found: dict[str, Train] = {"layerwise": own}
    if find_spec("keras"):
        import keras

        backend = f"Keras on {keras.backend.backend()}"
        found[backend] = many_networks.keras_fit(*rows, 1)
    return found


WORK: dict[str, Callable[[], dict[str, Train]]] = {
    "CD-1 784-500": contrastive_divergence,
    "variational autoencoder 784-512-16": variational,
    "outlier detector 40-64-8-64-40": outliers,
    "conditional GAN of a table": tables,
    "network 11-6-6-1": small_network,
}


def measure(trains: dict[str, Train], rounds: int) -> dict[str, float]:
    """Return the median of the processor seconds of each, taken in turns."""
    seconds: dict[str, list[float]] = {name: [] for name in trains}
    for number in range(rounds + 1):
        for name, train in trains.items():
            began = time.process_time()
            with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
                train()
            if number:  # the first round warms up
                seconds[name].append(time.process_time() - began)
    return {name: statistics.median(values) for name, values in seconds.items()}


def main() -> None:
    """Measure what was asked for, and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--work", nargs="*", choices=list(WORK), default=list(WORK))
    parser.add_argument("--json", type=Path, help="where the medians are added")
    given = parser.parse_args()
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    for name in given.work:
        found = measure(WORK[name](), given.rounds)
        own = found["layerwise"]
        print(
            f"{name}: {own:.2f} s; " + ", ".join(f"{peer} {each / own:.2f}" for peer, each in found.items()),
            flush=True,
        )
        if given.json:
            known = json.loads(given.json.read_text()) if given.json.exists() else {}
            known[name] = {peer: round(each, 3) for peer, each in found.items()}
            given.json.write_text(json.dumps(known, indent=1) + "\n")


if __name__ == "__main__":
    main()
