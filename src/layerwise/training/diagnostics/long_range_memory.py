"""Long-range memory: recurrent networks have to keep the first symbol of a sequence (Bengio et al. 1994)."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from pydantic import ConfigDict, RootModel
from torch import Tensor
from torch.nn import functional

from layerwise.checkpointing import Progress
from layerwise.data import TensorData
from layerwise.models import Cell, Recurrent, RecurrentConfig
from layerwise.training.callbacks import Callback
from layerwise.training.gradient_plan import GradientPlan
from layerwise.training.loop import fit
from layerwise.training.optim import OptimizerSettings
from layerwise.training.plan import Losses
from layerwise.utils import Config, torch_rng


def sample_first_symbol_task(
    n: int, steps: int, n_classes: int, rng: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Sample sequences whose class is their first symbol; the others are distractors of their own kind.

    Returns:
        Symbols (n, steps) int64 from 0 to n_classes + 1, the first below n_classes and the rest one of two
        others, and classes (n,).
    """
    symbols = n_classes + torch.randint(0, 2, (n, steps), generator=rng, device=rng.device)
    classes = torch.randint(0, n_classes, (n,), generator=rng, device=rng.device)
    symbols[:, 0] = classes
    return symbols, classes


def gradient_by_step(network: Recurrent, symbols: Tensor, classes: Tensor) -> Tensor:
    """Return the norm of the loss's gradient by each step's input, mean over the rows, shape (steps,)."""
    inputs = functional.one_hot(symbols, network.config.n_symbols).to(network.output.weight.dtype)
    inputs.requires_grad_()
    loss = functional.cross_entropy(network.read(inputs), classes, reduction="sum")
    (gradient,) = torch.autograd.grad(loss, inputs)
    return gradient.norm(dim=2).mean(0)


class LongRangeMemoryPlan(GradientPlan):
    """Learn by Adam to name the first symbol; every sequence is new, so that they are read as they were sampled."""

    network: Recurrent

    def epoch_order(self, n_rows: int) -> Tensor:
        """Return the rows one after another."""
        return torch.arange(n_rows, device="cpu")

    def cost(self, batch: TensorData) -> tuple[Tensor, Losses]:
        """Return the mean cross-entropy in nats, and each row's loss and accuracy."""
        losses = self.validation_losses(batch)
        return losses["loss"].mean(), losses

    def validation_losses(self, batch: TensorData) -> Losses:
        """Return each row's cross-entropy in nats, and whether its class is the likeliest one."""
        assert batch.targets is not None
        logits = self.network(batch.inputs)
        return {
            "loss": functional.cross_entropy(logits, batch.targets, reduction="none"),
            "accuracy": (logits.argmax(1) == batch.targets).float(),
        }


class AccuracyCurve(Callback):
    """Measure the accuracy on test sequences after every so many updates.

    Args:
        plan: what learns.
        test_sequences: symbols (n, steps) and classes (n,).
        every: updates from one measurement to the next.
    """

    def __init__(self, plan: LongRangeMemoryPlan, test_sequences: TensorData, every: int) -> None:
        self.plan, self.test_sequences, self.every = plan, test_sequences, every
        self.points: list[tuple[int, float]] = []

    def on_batch_end(self, progress: Progress) -> None:
        """Measure if it is time to."""
        if progress.batch % self.every == 0:
            accuracy = self.plan.validation_step(self.test_sequences)["accuracy"]
            self.points.append((progress.batch, float(accuracy.mean())))

    def state_dict(self) -> dict[str, Tensor]:
        """Return the updates and accuracies so far, (n, 2)."""
        return {"points": torch.tensor(self.points, dtype=torch.float64).view(-1, 2)}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go back to what `state_dict()` returned."""
        self.points = [(int(update), accuracy) for update, accuracy in state["points"].tolist()]


class MemoryResult(Config):
    """How far one kind of recurrent network remembers.

    Args:
        cell: its kind.
        accuracy: on 1,000 test sequences.
        base_rate: accuracy of the most frequent class.
        gradients: norm of the loss's gradient by each step's input, before training.
        accuracy_curve: update and accuracy on the test sequences.
    """

    cell: Cell
    accuracy: float
    base_rate: float
    gradients: tuple[float, ...]
    accuracy_curve: tuple[tuple[int, float], ...]


class MemoryStudy(RootModel[tuple[MemoryResult, ...]]):
    """How far several kinds of recurrent networks remember."""

    model_config = ConfigDict(frozen=True)

    def metrics(self) -> dict[str, float]:
        """Return the accuracies by cell."""
        return {f"{each.cell}/accuracy": each.accuracy for each in self.root}


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
) -> MemoryResult:
    """Train a recurrent network to name the first symbol of sequences, by Adam with clipped gradients (norm 1)."""
    network = Recurrent(
        RecurrentConfig(
            cell=cell, n_symbols=n_classes + 2, hidden_size=hidden_size, n_outputs=n_classes, memory=length
        ),
        torch_rng(seed, "remember", cell, "start"),
    )
    test_sequences = sample_first_symbol_task(1000, length, n_classes, torch_rng(seed, "remember", "test"))
    gradients = gradient_by_step(network, test_sequences[0][:100], test_sequences[1][:100])
    training_rng = torch_rng(seed, "remember", "training")
    # Sampled batch by batch: one call for all of them would draw other symbols.
    sampled = [sample_first_symbol_task(batch_size, length, n_classes, training_rng) for _ in range(updates)]
    symbols, classes = (torch.cat(parts) for parts in zip(*sampled, strict=True))
    plan = LongRangeMemoryPlan(
        network,
        OptimizerSettings(optimizer="adam", learning_rate=learning_rate, schedule="constant", clip_norm=1.0),
        {},
    )
    curve = AccuracyCurve(plan, TensorData(*test_sequences), max(1, updates // 10))
    fit(
        plan,
        TensorData(symbols, classes),
        epochs=1,
        batch_size=batch_size,
        rng=training_rng,
        callbacks=[curve],
        name=f"long-range memory of {cell}",
        quiet=True,
    )
    return MemoryResult(
        cell=cell,
        accuracy=curve.points[-1][1],
        base_rate=float(torch.bincount(test_sequences[1]).max() / len(test_sequences[1])),
        gradients=tuple(gradients.tolist()),
        accuracy_curve=tuple(curve.points),
    )
