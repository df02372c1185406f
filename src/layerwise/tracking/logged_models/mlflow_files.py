"""MLflow's files around a model's folder: its signature, an example, its packages, and this package as a wheel."""

from __future__ import annotations

import json
import platform
import shutil
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from mlflow import pyfunc
from mlflow.models import (
    Model,
    ModelSignature,
    convert_input_example_to_serving_input,
    infer_signature,
)
from mlflow.types import ColSpec, ParamSchema, ParamSpec, Schema
from mlflow.types.schema import AnyType

from layerwise.inference import TrainedModel
from layerwise.inference.tasks import answer_rows, offered_tasks, task_options
from layerwise.parameters import TaskSettings
from layerwise.tracking.logged_models.model_lookup import LOADER_MODULE
from layerwise.utils import WHEELS_FOLDER, package_wheel

if TYPE_CHECKING:
    import pandas as pd

REQUIRED_PACKAGES = ("mlflow", "numpy", "pandas", "pydantic", "safetensors", "scikit-learn", "skops", "torch")

# Where MLflow finds a model's example, as rows and as a server is asked for them.
EXAMPLE = {
    "artifact_path": "input_example.json",
    "pandas_orient": "split",
    "serving_input_path": "serving_input_example.json",
    "type": "dataframe",
}

# The types of plain values as MLflow calls them.
_PLAIN_TYPES = {str: "string", int: "long", float: "double", bool: "boolean"}


def write_mlflow_model(
    target: Path, folder: Path, example: pd.DataFrame, model: TrainedModel, description: Model
) -> None:
    """Write a model's folder as an MLflow model, with a signature, an example and this package as a wheel.

    The files are those of `mlflow.pyfunc.save_model`, which searches all installed packages for those named here and
    writes MLmodel twice: 0.75 s of a run.

    Args:
        target: where to; made here.
        folder: what `layerwise.inference.save_trained_model` wrote.
        example: some raw rows.
        model: what was read from the folder.
        description: what MLflow's own file says of it; completed and written here.
    """
    data = f"data/{folder.name}"
    shutil.copytree(folder, target / data)
    serving = str(convert_input_example_to_serving_input(example))
    (target / EXAMPLE["serving_input_path"]).write_text(serving)
    (target / EXAMPLE["artifact_path"]).write_text(json.dumps(json.loads(serving)["dataframe_split"]))
    wheel, content = package_wheel()
    (target / WHEELS_FOLDER).mkdir()
    (target / WHEELS_FOLDER / wheel).write_bytes(content)
    packages = _packages(wheel)
    (target / "requirements.txt").write_text("\n".join(packages))
    conda = {
        "name": "mlflow-env",
        "channels": ["conda-forge"],
        "dependencies": [f"python={platform.python_version()}", "pip", {"pip": packages}],
    }
    (target / "conda.yaml").write_text(yaml.safe_dump(conda))
    virtual = {
        "python": platform.python_version(),
        "build_dependencies": ["pip", "setuptools", "wheel"],
        "dependencies": ["-r requirements.txt"],
    }
    (target / "python_env.yaml").write_text(yaml.safe_dump(virtual, sort_keys=False))
    description.signature = _signature(model, example)
    description.saved_input_example_info = EXAMPLE
    description.model_size_bytes = sum(
        path.stat().st_size for path in (target / data).rglob("*") if path.is_file()
    )
    pyfunc.add_to_model(
        description,
        LOADER_MODULE,
        data,
        conda_env="conda.yaml",
        python_env="python_env.yaml",
        streamable=False,
    )
    # As `description.save` writes it, by the parser in C where it is there: a signature may have many columns.
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    (target / "MLmodel").write_text(yaml.dump(description.to_dict(), Dumper=dumper))


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
        outputs = infer_signature(model_output=answer).outputs
    return ModelSignature(Schema(columns), outputs, ParamSchema(options))


def _packages(wheel: str) -> list[str]:
    """Return the lines of `requirements.txt`, without the local part of a version, which no index has.

    This package comes from the wheel in the model's folder.
    """
    packages = [f"{package}=={version(package).partition('+')[0]}" for package in REQUIRED_PACKAGES]
    # pip takes a path from where it is run, which in MLflow's image is not the model's folder; where to find a version
    # it takes from where `requirements.txt` lies. No index has a version with a local part, so that nothing of an index
    # is ever installed in its place; MLflow warns of it where the package is installed from its sources.
    name, number = wheel.split("-")[:2]
    return [*packages, f"--find-links {WHEELS_FOLDER}", f"{name}=={number}"]
