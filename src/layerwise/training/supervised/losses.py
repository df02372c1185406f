"""What a network is trained to make small, by name and by task, one number a row."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from layerwise.data import Task, TensorData
from layerwise.training.plan import Losses, TrainingError
from layerwise.utils import Choice, torch_rng

LossName = Literal[
    "auto", "binary_cross_entropy", "categorical_cross_entropy", "hinge", "focal",
    "squared", "absolute", "huber", "poisson", "log_cosh",
]  # fmt: skip
ClassWeights = Literal["balanced"] | tuple[float, ...] | None
Resampling = Literal["none", "oversample", "undersample"]

LOSSES: dict[str, Choice] = {
    "auto": Choice("the cross-entropy of the task; squared for regression", "nearly always"),
    "binary_cross_entropy": Choice(
        "-y log p - (1-y) log(1-p), summed over labels", "probabilities", ("label_smoothing",)
    ),
    "categorical_cross_entropy": Choice("-log p of the right class", "probabilities", ("label_smoothing",)),
    "hinge": Choice(
        "max(0, 1 - y s), y = +-1; classes: max(0, 1 + best wrong s - right s) (Crammer & Singer 2001)",
        "decisions alone: its scores are no probabilities",
    ),
    "focal": Choice(
        "(1 - p)^gamma times the cross-entropy (Lin et al. 2017)", "rare classes", ("focal_gamma",)
    ),
    "squared": Choice("(y - s)^2, summed over outputs", "the mean of the target"),
    "absolute": Choice("|y - s|, summed over outputs", "the median: outliers count little"),
    "huber": Choice(
        "d^2 / 2 up to |d| = delta, then delta (|d| - delta / 2) (Huber 1964)",
        "some outliers",
        ("huber_delta",),
    ),
    "poisson": Choice("s - y log s, s = exp(output)", "counts; set preprocessing.scale_target: false"),
    "log_cosh": Choice("log cosh(y - s), summed over outputs", "as huber, but smooth"),
}
TASKS: dict[str, tuple[Task, ...]] = {
    "binary_cross_entropy": ("binary", "multilabel"),
    "categorical_cross_entropy": ("multiclass",),
    "hinge": ("binary", "multilabel", "multiclass"),
    "focal": ("binary", "multilabel", "multiclass"),
    **dict.fromkeys(("squared", "absolute", "huber", "poisson", "log_cosh"), ("regression",)),
}
DEFAULTS: dict[Task, LossName] = {
    "multiclass": "categorical_cross_entropy",
    "binary": "binary_cross_entropy",
    "multilabel": "binary_cross_entropy",
    "regression": "squared",
}
SETTINGS = ("label_smoothing", "focal_gamma", "huber_delta")


def resolve_loss(task: Task, name: LossName = "auto") -> LossName:
    """Return the loss by its own name.

    Raises:
        TrainingError: the loss is not one for the task.
    """
    if name == "auto":
        return DEFAULTS[task]
    if task not in TASKS[name]:
        fitting = ", ".join(loss for loss, tasks in TASKS.items() if task in tasks)
        raise TrainingError(f"finetuning.loss: {name} is no loss for a {task} task; for it: {fitting}")
    return name


def row_loss(
    name: LossName,
    outputs: Tensor,
    targets: Tensor,
    label_smoothing: float = 0.0,
    focal_gamma: float = 2.0,
    huber_delta: float = 1.0,
) -> Tensor:
    """Return each row's loss, shape (rows,); several outputs are summed. Cross-entropies are in nats.

    Args:
        name: any but `auto`.
        outputs: (rows, k) logits of classes or labels; values of a regression, rates of `poisson`.
        targets: (rows,) classes, or (rows, k).
        label_smoothing: the fraction of a target that is spread over all classes, or over 0 and 1.
        focal_gamma: how much confident predictions count less.
        huber_delta: where the squared error becomes an absolute one.
    """
    if name == "categorical_cross_entropy":
        return functional.cross_entropy(outputs, targets, reduction="none", label_smoothing=label_smoothing)
    if name == "binary_cross_entropy":
        if label_smoothing:
            targets = targets * (1 - label_smoothing) + label_smoothing / 2
        return functional.binary_cross_entropy_with_logits(outputs, targets, reduction="none").sum(1)
    if name in ("hinge", "focal"):
        return _hinge(outputs, targets) if name == "hinge" else _focal(outputs, targets, focal_gamma)
    if name == "squared":
        return (outputs - targets).square().sum(1)
    if name == "absolute":
        return (outputs - targets).abs().sum(1)
    if name == "huber":
        return functional.huber_loss(outputs, targets, reduction="none", delta=huber_delta).sum(1)
    if name == "log_cosh":
        # log cosh d = |d| + log(1 + exp(-2 |d|)) - log 2 does not overflow.
        size = (outputs - targets).abs()
        return (size + functional.softplus(-2 * size) - 0.6931471805599453).sum(1)
    tiny = torch.finfo(outputs.dtype).tiny
    return (outputs - targets * outputs.clamp_min(tiny).log()).sum(1)


def _hinge(outputs: Tensor, targets: Tensor) -> Tensor:
    if targets.dim() == 2:
        return functional.relu(1 - (2 * targets - 1) * outputs).sum(1)
    right = outputs.gather(1, targets[:, None])
    wrong = outputs.scatter(1, targets[:, None], float("-inf")).amax(1)
    return functional.relu(1 + wrong - right[:, 0])


def _focal(outputs: Tensor, targets: Tensor, gamma: float) -> Tensor:
    if targets.dim() == 2:
        cost = functional.binary_cross_entropy_with_logits(outputs, targets, reduction="none")
        return (_wrong_probability(cost) ** gamma * cost).sum(1)
    cost = functional.cross_entropy(outputs, targets, reduction="none")
    return _wrong_probability(cost) ** gamma * cost


def _wrong_probability(cost: Tensor) -> Tensor:
    """Return 1 - p of costs -log p, above 0: at 0 a power below 1 has an infinite derivative, and 0 times it is NaN."""
    return (-torch.expm1(-cost)).clamp_min(torch.finfo(cost.dtype).tiny)


def task_loss(task: Task, outputs: Tensor, targets: Tensor, label_smoothing: float = 0.0) -> Tensor:
    """Return each row's usual loss, shape (rows,): cross-entropy in nats, or squared error summed over outputs."""
    return row_loss(DEFAULTS[task], outputs, targets, label_smoothing)


def task_error(task: Task, outputs: Tensor, targets: Tensor) -> Tensor:
    """Return each row's error, shape (rows,): 0 or 1, fraction of wrong labels, or mean squared error."""
    if task == "multiclass":
        return outputs.argmax(1).ne(targets).float()
    if task == "regression":
        return (outputs - targets).square().mean(1)
    return outputs.gt(0).ne(targets.gt(0.5)).float().mean(1)


def scores_of_rows(task: Task, outputs: Tensor, targets: Tensor) -> Losses:
    """Return the error of each row, and the accuracy if the task is to name a class, each (rows,)."""
    error = task_error(task, outputs, targets)
    if task in ("multiclass", "binary"):
        return {"error": error, "accuracy": 1 - error}
    return {"error": error}


def probabilities(task: Task, outputs: Tensor) -> Tensor:
    """Return what the outputs predict: probabilities for classification, the values themselves for regression."""
    if task == "multiclass":
        return outputs.softmax(1)
    return outputs if task == "regression" else outputs.sigmoid()


def class_weight_tensor(chosen: ClassWeights, task: Task, rows: TensorData, n_outputs: int) -> Tensor | None:
    """Return the weight of each class in the training loss, shape (classes,), or None for equal weights.

    `balanced` is n / (k n_c) for the k classes that have rows, which makes the weights' mean over the training rows 1
    (King & Zeng 2001).

    Raises:
        TrainingError: the task has no classes, or another number of them.
    """
    if chosen is None:
        return None
    if task not in ("binary", "multiclass"):
        raise TrainingError(f"finetuning.class_weights is for classes, and the task is {task}")
    assert rows.targets is not None
    k = n_outputs if task == "multiclass" else 2
    if chosen == "balanced":
        counts = torch.bincount(rows.targets.reshape(-1).long(), minlength=k).to(
            rows.device, rows.inputs.dtype
        )
        return len(rows) / ((counts > 0).sum() * counts.clamp_min(1))
    if len(chosen) != k:
        raise TrainingError(f"finetuning.class_weights has {len(chosen)} value(s) for {k} classes")
    return torch.tensor(chosen, dtype=rows.inputs.dtype, device=rows.device)


def resample(rows: TensorData, how: Resampling, task: Task, seed: int) -> TensorData:
    """Return rows of which every class has as many; `none` returns them as they are.

    `oversample` keeps all rows and repeats those of the rarer classes, each as often as any of its class, or once more;
    `undersample` leaves rows of the more frequent ones out. Both draw without regard to the rows' weights.

    Raises:
        TrainingError: the task has no classes.
    """
    if how == "none":
        return rows
    if task not in ("binary", "multiclass"):
        raise TrainingError(f"finetuning.resampling is for classes, and the task is {task}")
    assert rows.targets is not None
    rng, codes = torch_rng(seed, "finetuning", "resampling"), rows.targets.reshape(-1).long().cpu()
    of_class = [(codes == code).nonzero()[:, 0] for code in codes.unique()]
    wanted = (max if how == "oversample" else min)(map(len, of_class))
    chosen = []
    for found in of_class:
        times, rest = divmod(wanted, len(found))
        drawn = found[torch.randperm(len(found), generator=rng, device=rng.device)[:rest]]
        chosen.append(torch.cat([found.repeat(times), drawn]))
    return rows.subset(torch.cat(chosen))


def check_targets(name: LossName, rows: TensorData) -> None:
    """Raise a TrainingError for targets that the loss is not defined for."""
    if name == "poisson" and rows.targets is not None and bool((rows.targets < 0).any()):
        raise TrainingError(
            "finetuning.loss: poisson is for counts of at least 0, and the targets go below it; set "
            "preprocessing.scale_target: false, or take another loss"
        )
