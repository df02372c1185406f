"""The task of remembering the first symbol: what long sequences do to the gradient (Bengio et al. 1994)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from layerwise.models.recurrent import Cell, Recurrent, RecurrentConfig
from layerwise.utils.random_streams import generator_for


def first_symbol_task(
    n: int, steps: int, n_classes: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Draw sequences whose class is their first symbol; the others are distractors of their own kind.

    Returns:
        Symbols (n, steps) int64 from 0 to n_classes + 1, the first below n_classes and the rest one of two
        others, and classes (n,).
    """
    symbols = n_classes + torch.randint(0, 2, (n, steps), generator=generator)
    classes = torch.randint(0, n_classes, (n,), generator=generator)
    symbols[:, 0] = classes
    return symbols, classes


def gradient_by_step(network: Recurrent, symbols: Tensor, classes: Tensor) -> Tensor:
    """Return the norm of the loss's gradient by each step's input, mean over the rows, shape (steps,)."""
    inputs = functional.one_hot(symbols, network.config.n_symbols).to(network.output.weight.dtype)
    inputs.requires_grad_()
    loss = functional.cross_entropy(network.read(inputs), classes, reduction="sum")
    (gradient,) = torch.autograd.grad(loss, inputs)
    return gradient.norm(dim=2).mean(0)


def remember(
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
        `accuracy` on 1,000 fresh sequences, `base_rate`, `gradients` by step of the untrained network,
        and `course`: (update, accuracy) pairs.
    """
    network = Recurrent(
        RecurrentConfig(
            cell=cell, n_symbols=n_classes + 2, hidden_size=hidden_size, n_outputs=n_classes, memory=length
        ),
        generator_for(seed, "remember", cell, "start"),
    )
    fresh = first_symbol_task(1000, length, n_classes, generator_for(seed, "remember", "test"))
    gradients = gradient_by_step(network, fresh[0][:100], fresh[1][:100])
    drawing = generator_for(seed, "remember", "training")
    optimiser = torch.optim.Adam(network.parameters(), learning_rate)
    course = []
    for update in range(1, updates + 1):
        symbols, classes = first_symbol_task(batch_size, length, n_classes, drawing)
        optimiser.zero_grad()
        functional.cross_entropy(network(symbols), classes).backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        if update % max(1, updates // 10) == 0:
            with torch.no_grad():
                course.append((update, float((network(fresh[0]).argmax(1) == fresh[1]).float().mean())))
    return {
        "cell": cell,
        "accuracy": course[-1][1],
        "base_rate": float(torch.bincount(fresh[1]).max() / len(fresh[1])),
        "gradients": gradients.tolist(),
        "course": course,
    }
