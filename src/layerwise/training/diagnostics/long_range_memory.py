"""Long-range memory: recurrent networks have to keep the first symbol of a sequence (Bengio et al. 1994)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from layerwise.models import Cell, Recurrent, RecurrentConfig
from layerwise.utils import torch_rng


def sample_first_symbol_task(
    n: int, steps: int, n_classes: int, rng: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Sample sequences whose class is their first symbol; the others are distractors of their own kind.

    Returns:
        Symbols (n, steps) int64 from 0 to n_classes + 1, the first below n_classes and the rest one of two
        others, and classes (n,).
    """
    symbols = n_classes + torch.randint(0, 2, (n, steps), generator=rng)
    classes = torch.randint(0, n_classes, (n,), generator=rng)
    symbols[:, 0] = classes
    return symbols, classes


def gradient_by_step(network: Recurrent, symbols: Tensor, classes: Tensor) -> Tensor:
    """Return the norm of the loss's gradient by each step's input, mean over the rows, shape (steps,)."""
    inputs = functional.one_hot(symbols, network.config.n_symbols).to(network.output.weight.dtype)
    inputs.requires_grad_()
    loss = functional.cross_entropy(network.read(inputs), classes, reduction="sum")
    (gradient,) = torch.autograd.grad(loss, inputs)
    return gradient.norm(dim=2).mean(0)


def train_long_range_memory(
    cell: Cell,
    *,
    length: int,
    updates: int,
    hidden_size: int,
    seed: int,
    n_classes: int = 4,
    learning_rate: float = 0.01,
    batch_size: int = 64,
) -> dict[str, Any]:
    """Train a recurrent network to name the first symbol of sequences, by Adam with the gradient's norm clipped to 1.

    Returns:
        `accuracy` on 1,000 test sequences, `base_rate`, `gradients` by step of the untrained network,
        and `accuracy_curve`: (update, accuracy) pairs.
    """
    network = Recurrent(
        RecurrentConfig(
            cell=cell, n_symbols=n_classes + 2, hidden_size=hidden_size, n_outputs=n_classes, memory=length
        ),
        torch_rng(seed, "remember", cell, "start"),
    )
    test_sequences = sample_first_symbol_task(1000, length, n_classes, torch_rng(seed, "remember", "test"))
    gradients = gradient_by_step(network, test_sequences[0][:100], test_sequences[1][:100])
    training_rng = torch_rng(seed, "remember", "training")
    optimizer = torch.optim.Adam(network.parameters(), learning_rate)
    accuracy_curve = []
    for update in range(1, updates + 1):
        symbols, classes = sample_first_symbol_task(batch_size, length, n_classes, training_rng)
        optimizer.zero_grad()
        functional.cross_entropy(network(symbols), classes).backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        if update % max(1, updates // 10) == 0:
            with torch.no_grad():
                accuracy_curve.append(
                    (
                        update,
                        float((network(test_sequences[0]).argmax(1) == test_sequences[1]).float().mean()),
                    )
                )
    return {
        "cell": cell,
        "accuracy": accuracy_curve[-1][1],
        "base_rate": float(torch.bincount(test_sequences[1]).max() / len(test_sequences[1])),
        "gradients": gradients.tolist(),
        "accuracy_curve": accuracy_curve,
    }
