"""Rules across keys: what each key alone cannot know."""

from __future__ import annotations

from typing import Any

from layerwise.data import Problem, SplitSettings
from layerwise.parameters.evaluation import EvaluationSettings
from layerwise.parameters.networks import RBMSettings
from layerwise.training import TrainingError
from layerwise.training.gan import GANSettings
from layerwise.training.supervised import DEFAULTS, FinetuningSettings, MLPSettings, resolve_loss


def find_conflicts(parameters: dict[str, Any]) -> list[str]:
    """Return a sentence for each setting that does not fit the problem, whichever pipeline runs."""
    problem: Problem = parameters["problem"]
    wrong = _image_gan_of_a_table(parameters["gan"]) if problem.targets else []
    if wrong:
        return wrong
    split: SplitSettings = parameters["split"]
    wrong = conflicts_of_split(split, problem) or _conflicts_out_of_core(parameters)
    if wrong:
        return wrong
    rbm: RBMSettings = parameters["rbm"]
    if rbm.patience is not None and rbm.monitor is None and problem.task != "ratings":
        return ["rbm.patience is for an rbm.monitor, and there is none"]
    if rbm.averaged_epochs and problem.task == "ratings":
        return [
            "rbm.averaged_epochs: of ratings the epoch of the least validation error is kept; leave it null or 0"
        ]
    if problem.task not in DEFAULTS:  # ratings and documents have no labels to fine-tune on
        return []
    several = parameters["seeds"] > 1 or bool(parameters["grid"].points())
    return [
        *_finetuning_conflicts(parameters, problem),
        *_network_conflicts(parameters["mlp"], several, is_table=bool(problem.targets)),
        *_several_networks_conflicts(parameters, several, split.folds),
        *_evaluation_conflicts(parameters["evaluation"], problem),
    ]


def _conflicts_out_of_core(parameters: dict[str, Any]) -> list[str]:
    """Return a sentence for each setting that needs rows in memory, where they stay in files."""
    if not parameters["compute"].out_of_core:
        return []
    found = []
    if parameters["split"].method != "hash":
        found.append("compute.out_of_core takes each row by itself: set split.method: hash")
    finetuning: FinetuningSettings = parameters["finetuning"]
    needs = {
        "labelled_rows": parameters["labelled_rows"] is not None,
        "problem.unlabelled": parameters["problem"].unlabelled is not None,
        "refit": parameters["refit"],
        "finetuning.resampling": finetuning.resampling != "none",
        "finetuning.init_from": bool(finetuning.init_from),
        "seeds": parameters["seeds"] > 1,
        "grid": bool(parameters["grid"].points()),
    }
    found += [
        f"{name} needs all rows in memory: leave it out, or set compute.out_of_core: false"
        for name, is_set in needs.items()
        if is_set
    ]
    return found


def _image_gan_of_a_table(gan: GANSettings) -> list[str]:
    image_values = {"network": "dcgan", "condition": "caption"}
    wrong = [
        f"gan.{name}: {value} is for images, and this problem is a table"
        for name, value in image_values.items()
        if getattr(gan, name) == value
    ]
    if gan.augmentation:
        wrong.append("gan.augmentation is for images, and this problem is a table; leave it empty")
    return wrong


def _finetuning_conflicts(parameters: dict[str, Any], problem: Problem) -> list[str]:
    finetuning: FinetuningSettings = parameters["finetuning"]
    found = []
    try:
        resolve_loss(problem.task, finetuning.loss)
    except TrainingError as error:
        found.append(str(error))
    if finetuning.loss == "poisson" and parameters["preprocessing"].scale_target:
        found.append(
            "finetuning.loss: poisson is for counts as they are; set preprocessing.scale_target: false"
        )
    classes = problem.task in ("binary", "multiclass")
    if finetuning.class_weights is not None and not classes:
        found.append(f"finetuning.class_weights is for classes, and the task is {problem.task}")
    if finetuning.resampling != "none" and not classes:
        found.append(f"finetuning.resampling is for classes, and the task is {problem.task}")
    if finetuning.label_smoothing and problem.task == "regression":
        found.append("finetuning.label_smoothing is for classes, and the task is regression")
    if finetuning.monitor_is_score and not classes:
        found.append(
            f"finetuning.monitor: a {problem.task} task has no {finetuning.monitor}; take validation/loss"
        )
    if finetuning.augmentation.chosen and problem.targets:
        found.append("finetuning.augmentation is for images, and this problem is a table")
    return found


def _several_networks_conflicts(parameters: dict[str, Any], several: bool, folds: int | None) -> list[str]:
    finetuning: FinetuningSettings = parameters["finetuning"]
    found = []
    if finetuning.resampling != "none" and (several or folds):
        found.append("finetuning.resampling is for one network: set seeds: 1, no grid and no split.folds")
    if parameters["layer_statistics"] and several:
        found.append(
            "layer_statistics is of one network: set seeds: 1 and no grid, or layer_statistics: false"
        )
    elsewhere = {"seeds or grid": several, "refit": parameters["refit"], "split.folds": folds}
    if finetuning.init_from and any(elsewhere.values()):
        named = " and ".join(name for name, there in elsewhere.items() if there)
        found.append(f"finetuning.init_from is for one network and one split: leave {named} out")
    if parameters["refit"] and several:
        found.append("refit trains one network again: set seeds: 1 and no grid, or refit: false")
    return found


def _evaluation_conflicts(evaluation: EvaluationSettings, problem: Problem) -> list[str]:
    found = []
    if evaluation.interval_coverage is not None and problem.task != "regression":
        found.append(f"evaluation.interval_coverage is for a regression, and the task is {problem.task}")
    if evaluation.calibration != "none" and problem.task == "regression":
        found.append("evaluation.calibration is for classes and labels, and the task is regression")
    if evaluation.threshold != "half" and problem.task != "binary":
        found.append(f"evaluation.threshold is for a binary task, and the task is {problem.task}")
    return found


def segments_without_table(parameters: dict[str, Any]) -> str:
    """Return the sentence for segments of a problem of images; empty for any other one.

    It is no rule for `evaluate`, which reads the setting and has the problem of a model, not this one.
    """
    problem: Problem = parameters["problem"]
    if not parameters["evaluation"].segments or problem.targets or problem.task not in DEFAULTS:
        return ""
    return "evaluation.segments is for tables, and this problem's rows are images"


def conflicts_of_split(split: SplitSettings, problem: Problem) -> list[str]:
    """Return what of the split needs a table, or labels."""
    if problem.targets:
        targets = {"groups": split.groups, "time": split.time}
        return [
            f"split.{name} names the target '{column}'"
            for name, column in targets.items()
            if column in problem.targets
        ]
    if problem.task not in ("ratings", "documents"):  # images say so themselves
        return []
    named = {"groups": split.groups, "time": split.time, "folds": split.folds}
    return [
        f"split.{name} is for rows with labels, and the task is {problem.task}: leave it out"
        for name, value in named.items()
        if value is not None
    ]


def _network_conflicts(mlp: MLPSettings, several: bool, is_table: bool) -> list[str]:
    """Return a sentence for what a table's network has and others have not."""
    embedded = mlp.number_embedding not in (None, "none")
    if several and (embedded or (mlp.ensemble_members or 1) > 1):
        return [
            "networks that train at once (seeds, grid) are plain ones: set mlp.number_embedding: none and "
            "mlp.ensemble_members: 1, or leave both at null"
        ]
    if embedded and not is_table:
        return [f"mlp.number_embedding: {mlp.number_embedding} is for the numbers of a table"]
    return []
