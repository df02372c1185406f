"""MLflow's files around a model's folder: its signature, an example, its packages, and this package as a wheel."""

from __future__ import annotations

import logging
import platform
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlflow import pyfunc
from mlflow.models import Model, ModelSignature, infer_signature
from mlflow.types import ColSpec, ParamSchema, ParamSpec, Schema
from mlflow.types.schema import AnyType

from layerwise.inference import TrainedModel
from layerwise.inference.tasks import answer_rows, offered_tasks, task_options
from layerwise.parameters import TaskSettings
from layerwise.tracking.model_lookup import LOADER_MODULE
from layerwise.utils import WHEELS_FOLDER, package_wheel

if TYPE_CHECKING:
    import pandas as pd

REQUIRED_PACKAGES = ("mlflow", "numpy", "pandas", "pydantic", "safetensors", "scikit-learn", "skops", "torch")

# The types of plain values as MLflow calls them.
_PLAIN_TYPES = {str: "string", int: "long", float: "double", bool: "boolean"}


def write_mlflow_model(
    target: Path, folder: Path, example: pd.DataFrame, model: TrainedModel, description: Model
) -> None:
    """Write a model's folder as an MLflow model, with a signature, an example and this package as a wheel.

    Args:
        target: where to; made here.
        folder: what `layerwise.inference.save_trained_model` wrote.
        example: some raw rows.
        model: what was read from the folder.
        description: what MLflow's own file says of it; completed and written here.
    """
    logging.getLogger("mlflow.pyfunc").setLevel(logging.WARNING)
    # It would warn that the wheel's version, which ends in a hash of these sources, is not the installed one.
    logging.getLogger("mlflow.utils.requirements_utils").setLevel(logging.ERROR)
    wheel, content = package_wheel()
    pyfunc.save_model(
        str(target),
        loader_module=LOADER_MODULE,
        data_path=str(folder),
        mlflow_model=description,
        signature=_signature(model, example),
        input_example=example,
        conda_env=_conda_environment(wheel),
    )
    (target / WHEELS_FOLDER).mkdir()
    (target / WHEELS_FOLDER / wheel).write_bytes(content)


def _signature(model: TrainedModel, example: pd.DataFrame) -> ModelSignature:
    """Return the columns of rows and answers, and what may be asked: plain values with their defaults."""
    tasks = offered_tasks(model)
    optional = any(task.works_without_rows for task in tasks)
    draws = tasks[0].works_without_rows
    names = tasks[0].columns(model, TaskSettings()) if draws else [str(name) for name in example]
    columns: list[Any] = [
        ColSpec(AnyType(), name=name, required=not optional and model.reads_rows) for name in names
    ]
    rows = None if draws else example
    answer = answer_rows(model, rows, TaskSettings(seed=0) if draws else TaskSettings(), strict=False)
    options = [
        ParamSpec(name, _PLAIN_TYPES[type(value)], value) for name, value in task_options(model).items()
    ]
    with warnings.catch_warnings():
        # That whole numbers cannot be empty: those of an answer, such as ranks, never are.
        warnings.filterwarnings("ignore", "Hint: Inferred schema contains integer")
        outputs = infer_signature(example, answer).outputs
    return ModelSignature(Schema(columns), outputs, ParamSchema(options))


def _conda_environment(wheel: str) -> dict[str, Any]:
    """Return the packages that a model needs, without the local part of a version, which no index has.

    This package comes from the wheel in the model's folder.

    Given as a whole environment: from a list of packages MLflow first searches every installed one, 1.4 s of a run.
    """
    packages = [f"{package}=={version(package).partition('+')[0]}" for package in REQUIRED_PACKAGES]
    # pip takes a path from where it is run, which in MLflow's image is not the model's folder; where to find a version
    # it takes from where `requirements.txt` lies. No index has a version with a local part.
    name, number = wheel.split("-")[:2]
    packages += [f"--find-links {WHEELS_FOLDER}", f"{name}=={number}"]
    return {
        "name": "mlflow-env",
        "channels": ["conda-forge"],
        "dependencies": [f"python={platform.python_version()}", "pip", {"pip": packages}],
    }
