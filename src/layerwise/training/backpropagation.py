"""Back-propagation for a network with a task head, as a trainee of the loop."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Literal

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.nn import functional

from layerwise.configuration import Config
from layerwise.data.rows import Rows, Task
from layerwise.models.mlp import MLP
from layerwise.training.loop import Losses

OptimiserName = Literal["sgd", "momentum", "nesterov", "rmsprop", "adagrad", "adam", "adamw", "adamax"]
ScheduleName = Literal["constant", "cosine", "one_cycle", "step"]


class FinetuningSettings(Config):
    """How the whole network learns from labels.

    `precision: bfloat16` takes the training's matrix products in bfloat16, twice as fast where the processor has it
    (AVX512-BF16, CUDA); weights, losses and what is measured stay float32.
    """

    epochs: int = Field(30, ge=1)
    batch_size: int = Field(100, ge=1)
    optimiser: OptimiserName = "adam"
    learning_rate: float = Field(1e-3, gt=0)
    momentum: float = Field(0.9, ge=0, lt=1)
    weight_decay: float = Field(0.0, ge=0)
    schedule: ScheduleName = "constant"
    input_dropout: float = Field(0.0, ge=0, lt=1)
    dropout: float = Field(0.0, ge=0, lt=1)
    label_smoothing: float = Field(0.0, ge=0, lt=1)
    clip_norm: float | None = Field(None, gt=0)
    max_norm: float | None = Field(None, gt=0)
    precision: Literal["float32", "bfloat16"] = "float32"
    patience: int | None = Field(None, ge=1)
    minimum_change: float = Field(0.0, ge=0)
    monitor: Literal["validation/loss", "validation/error"] = "validation/loss"

    @model_validator(mode="after")
    def _nesterov_has_momentum(self) -> FinetuningSettings:
        if self.optimiser == "nesterov" and self.momentum == 0:
            raise ValueError("optimiser nesterov needs a momentum above 0; use sgd for none")
        return self


def new_optimiser(settings: FinetuningSettings, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
    """Return the named optimiser over the parameters."""
    s, o = settings, torch.optim
    rate, decay = s.learning_rate, s.weight_decay
    choices: dict[str, Callable[[], torch.optim.Optimizer]] = {
        "sgd": lambda: o.SGD(parameters, rate, weight_decay=decay),
        "momentum": lambda: o.SGD(parameters, rate, momentum=s.momentum, weight_decay=decay),
        "nesterov": lambda: o.SGD(parameters, rate, momentum=s.momentum, weight_decay=decay, nesterov=True),
        "rmsprop": lambda: o.RMSprop(parameters, rate, weight_decay=decay),
        "adagrad": lambda: o.Adagrad(parameters, rate, weight_decay=decay),
        "adam": lambda: o.Adam(parameters, rate, weight_decay=decay, fused=True),
        "adamw": lambda: o.AdamW(parameters, rate, weight_decay=decay, fused=True),
        "adamax": lambda: o.Adamax(parameters, rate, weight_decay=decay),
    }
    return choices[s.optimiser]()


def rate_factor(schedule: ScheduleName, done: float) -> float:
    """Return the share of the learning rate at a share `done` of all steps.

    `one_cycle` rises linearly over the first three tenths, then falls as a cosine (Smith 2018); `step`
    divides by ten at one half and at three quarters.
    """
    if schedule == "cosine":
        return 0.5 * (1 + math.cos(math.pi * done))
    if schedule == "one_cycle":
        return 0.04 + 0.96 * done / 0.3 if done < 0.3 else 0.5 * (1 + math.cos(math.pi * (done - 0.3) / 0.7))
    if schedule == "step":
        return 1.0 if done < 0.5 else 0.1 if done < 0.75 else 0.01
    return 1.0


def task_loss(task: Task, outputs: Tensor, targets: Tensor, label_smoothing: float = 0.0) -> Tensor:
    """Return each row's loss, shape (rows,): cross-entropy in nats, or squared error summed over outputs."""
    if task == "multiclass":
        return functional.cross_entropy(outputs, targets, reduction="none", label_smoothing=label_smoothing)
    if task == "regression":
        return (outputs - targets).square().sum(1)
    if label_smoothing:
        targets = targets * (1 - label_smoothing) + label_smoothing / 2
    return functional.binary_cross_entropy_with_logits(outputs, targets, reduction="none").sum(1)


def task_error(task: Task, outputs: Tensor, targets: Tensor) -> Tensor:
    """Return each row's error, shape (rows,): 0 or 1, share of wrong labels, or mean squared error."""
    if task == "multiclass":
        return outputs.argmax(1).ne(targets).float()
    if task == "regression":
        return (outputs - targets).square().mean(1)
    return outputs.gt(0).ne(targets.gt(0.5)).float().mean(1)


def probabilities(task: Task, outputs: Tensor) -> Tensor:
    """Return what the outputs say: probabilities for classification, the values themselves for regression."""
    if task == "multiclass":
        return outputs.softmax(1)
    return outputs if task == "regression" else outputs.sigmoid()


class Backpropagation:
    """Train a network's weights by the gradient of the task's loss.

    Args:
        network: the network; with `freeze` only its output layer learns.
        task: decides the loss.
        settings: how it learns.
        generator: draws the dropout masks.
        n_batches: batches an epoch, which the schedule needs.
        freeze: train the head alone.
    """

    def __init__(
        self,
        network: MLP,
        task: Task,
        settings: FinetuningSettings,
        generator: torch.Generator,
        n_batches: int,
        freeze: bool = False,
    ) -> None:
        self.network, self.task, self.settings = network, task, settings
        self.generator, self.n_batches = generator, n_batches
        network.use_generator(generator)
        network.requires_grad_(not freeze)
        network.output.requires_grad_(True)
        self.parameters = [p for p in network.parameters() if p.requires_grad]
        self.optimiser = new_optimiser(settings, self.parameters)
        self.steps_done = 0
        self.steps_planned = settings.epochs * n_batches

    def begin_epoch(self, epoch: int, epochs: int) -> None:
        """Switch dropout on."""
        self.steps_planned = epochs * self.n_batches
        self.network.train()

    def train_step(self, batch: Rows) -> Losses:
        """Update the network; return the loss and the error per row."""
        s = self.settings
        if s.schedule != "constant":
            rate = s.learning_rate * rate_factor(s.schedule, self.steps_done / self.steps_planned)
            for group in self.optimiser.param_groups:
                group["lr"] = rate
        self.steps_done += 1
        outputs = self._forward(batch.inputs)
        assert batch.targets is not None
        loss = task_loss(self.task, outputs, batch.targets, s.label_smoothing)
        self.optimiser.zero_grad()
        loss.mean().backward()
        if s.clip_norm is not None:
            nn.utils.clip_grad_norm_(self.parameters, s.clip_norm, foreach=True)
        self.optimiser.step()
        if s.max_norm is not None:
            self._limit_norms(s.max_norm)
        with torch.no_grad():
            return {"loss": loss.detach(), "error": task_error(self.task, outputs, batch.targets)}

    def _forward(self, inputs: Tensor) -> Tensor:
        if self.settings.precision == "float32":
            return self.network(inputs)
        with torch.autocast(inputs.device.type, torch.bfloat16):
            return self.network(inputs).float()

    def _limit_norms(self, limit: float) -> None:
        """Scale each unit's incoming weights to the limit (Srivastava et al. 2014, section 5.1)."""
        with torch.no_grad():
            for layer in self.network.hidden:
                assert isinstance(layer, nn.Linear)
                if layer.weight.requires_grad:
                    layer.weight.renorm_(2, 0, limit)

    def measure(self, batch: Rows) -> Losses:
        """Return the loss and the error per row, with dropout off."""
        assert batch.targets is not None
        learning = self.network.training
        self.network.eval()
        outputs = self.network(batch.inputs)
        self.network.train(learning)
        return {
            "loss": task_loss(self.task, outputs, batch.targets),
            "error": task_error(self.task, outputs, batch.targets),
        }

    def state(self) -> dict[str, Tensor]:
        """Return copies of the weights, the optimiser's moments, the generator and the step."""
        state = {f"network.{name}": value.clone() for name, value in self.network.state_dict().items()}
        for i, moments in self.optimiser.state_dict()["state"].items():
            for name, value in moments.items():
                state[f"optimiser.{i}.{name}"] = torch.as_tensor(value).clone()
        state["generator"] = self.generator.get_state()
        state["steps_done"] = torch.tensor(self.steps_done)
        return state

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Go back to a state that `state()` returned."""
        self.network.load_state_dict(
            {name.removeprefix("network."): v for name, v in state.items() if name.startswith("network.")}
        )
        moments: dict[int, dict[str, Tensor]] = {}
        for name, value in state.items():
            if name.startswith("optimiser."):
                _, i, moment = name.split(".", 2)
                moments.setdefault(int(i), {})[moment] = value.clone()
        saved = self.optimiser.state_dict()
        self.optimiser.load_state_dict({"state": moments, "param_groups": saved["param_groups"]})
        self.generator.set_state(state["generator"])
        self.steps_done = int(state["steps_done"])
