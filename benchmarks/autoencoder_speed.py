"""Seconds an epoch of a variational autoencoder through the training loop, beside a plain torch loop and pythae.

784-512-16 and its mirror, relu, batches of 100, Adam, Bernoulli likelihood; all figures are taken in one run, in turns,
and the medians of several rounds are compared. One epoch of pythae is its trainer's, without its checkpoints.

    python benchmarks/autoencoder_speed.py [--rows 20000] [--rounds 5]

pythae is among them where it is installed (pip install layerwise[benchmark]).
"""

from __future__ import annotations

import argparse
import contextlib
import io
import logging
import statistics
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec

import torch
from torch import nn
from torch.nn import functional

from layerwise.data import ColumnBlock, DataSpec, TensorData
from layerwise.training.autoencoder import AutoencoderSettings, build_autoencoder, train_autoencoder
from layerwise.utils import torch_rng

N_INPUTS, HIDDEN_SIZE, LATENT_SIZE, BATCH_SIZE = 784, 512, 16, 100


def data(n: int) -> torch.Tensor:
    """Return binary rows, a fifth of them ones, as in MNIST."""
    uniform = torch.empty(n, N_INPUTS).uniform_(generator=torch_rng(0, "benchmark"))
    return uniform.lt(0.2).float()


def layerwise_loop(x: torch.Tensor, precision: str = "float32") -> float:
    """Train one epoch through the project's loop, with its callbacks and 100 validation rows; return its seconds."""
    columns = DataSpec(
        task="multiclass",
        n_inputs=N_INPUTS,
        n_outputs=10,
        feature_names=(),
        blocks=(ColumnBlock(name="pixels", kind="binary", start=0, stop=N_INPUTS),),
        target_names=(),
        image_shape=(28, 28),
    )
    settings = AutoencoderSettings(
        variant="variational",
        hidden_sizes=(HIDDEN_SIZE,),
        latent_size=LATENT_SIZE,
        activation="relu",
        epochs=1,
        batch_size=BATCH_SIZE,
        precision=precision,
    )
    network = build_autoencoder(settings, columns, torch_rng(0, "weights"))
    progress, _ = train_autoencoder(
        network, TensorData(x), TensorData(x[:100]), columns, settings, 0, silent=True
    )
    return progress.seconds


class Plain(nn.Module):
    """The network as a tutorial writes it."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.mean, self.log_variance = (
            nn.Linear(N_INPUTS, HIDDEN_SIZE),
            nn.Linear(HIDDEN_SIZE, LATENT_SIZE),
            nn.Linear(HIDDEN_SIZE, LATENT_SIZE),
        )
        self.decoder, self.out = nn.Linear(LATENT_SIZE, HIDDEN_SIZE), nn.Linear(HIDDEN_SIZE, N_INPUTS)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the loss of a batch."""
        h = self.encoder(x).relu()
        mean, log_variance = self.mean(h), self.log_variance(h)
        z = mean + (log_variance / 2).exp() * torch.randn_like(mean)
        logits = self.out(self.decoder(z).relu())
        loss = functional.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(1)
        return (loss - 0.5 * (1 + log_variance - mean.square() - log_variance.exp()).sum(1)).mean()


def plain_loop(x: torch.Tensor) -> float:
    """Train one epoch with a DataLoader, as tutorials do; return its seconds."""
    network = Plain()
    optimizer = torch.optim.Adam(network.parameters())
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x), BATCH_SIZE, shuffle=True)
    began = time.perf_counter()
    for (batch,) in loader:
        optimizer.zero_grad()
        network(batch).backward()
        optimizer.step()
    return time.perf_counter() - began


def pythae_loop(x: torch.Tensor) -> float:
    """Train one epoch of pythae's VAE, which is as wide as the others; return its trainer's seconds."""
    from pythae.data.datasets import DatasetOutput
    from pythae.models import VAE, VAEConfig
    from pythae.trainers import BaseTrainer, BaseTrainerConfig

    class Dataset(torch.utils.data.Dataset):
        def __len__(self) -> int:
            return len(x)

        def __getitem__(self, index: int) -> DatasetOutput:
            return DatasetOutput(data=x[index])

    model = VAE(VAEConfig(input_dim=(1, 28, 28), latent_dim=LATENT_SIZE, reconstruction_loss="bce"))
    with tempfile.TemporaryDirectory() as folder:
        settings = BaseTrainerConfig(
            output_dir=folder,
            num_epochs=1,
            per_device_train_batch_size=BATCH_SIZE,
            learning_rate=1e-3,
            no_cuda=True,
        )
        trainer = BaseTrainer(model=model, train_dataset=Dataset(), training_config=settings)
        trainer.prepare_training()
        began = time.perf_counter()
        trainer.train_step(1)
        return time.perf_counter() - began


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    logging.disable(logging.INFO)
    x = data(arguments.rows)
    loops: dict[str, Callable[[], float]] = {
        "layerwise": lambda: layerwise_loop(x),
        "layerwise, bfloat16": lambda: layerwise_loop(x, "bfloat16"),
        "plain torch, DataLoader": lambda: plain_loop(x),
    }
    if find_spec("pythae"):
        loops["pythae"] = lambda: pythae_loop(x)
    seconds: dict[str, list[float]] = {name: [] for name in loops}
    for number in range(arguments.rounds + 1):
        for name, loop in loops.items():
            with contextlib.redirect_stderr(io.StringIO()):
                elapsed = loop()
            if number:  # the first round warms up
                seconds[name].append(elapsed)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    print("| implementation | seconds an epoch | of layerwise's |\n|---|---|---|")
    for name, value in medians.items():
        print(f"| {name} | {value:.2f} | {value / medians['layerwise']:.2f} |")


if __name__ == "__main__":
    main()
