"""The MLflow flavor of a trained network's folder: `mlflow.models.Model.log` takes this module as `flavor`.

MLflow's own `pyfunc.log_model` writes the same files; it also searches every installed package twice and loads the
model again to try its example, two seconds of each run for what the tests show already.
"""

from __future__ import annotations

import platform
import shutil
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from mlflow import pyfunc
from mlflow.models.utils import _save_example

from layerwise.tracking.model_lookup import LOADER_MODULE

if TYPE_CHECKING:
    import pandas as pd
    from mlflow.models import Model, ModelSignature

REQUIRED_PACKAGES = ("mlflow", "numpy", "pandas", "pydantic", "safetensors", "scikit-learn", "skops", "torch")


def save_model(
    path: str,
    mlflow_model: Model,
    *,
    folder: Path,
    signature: ModelSignature,
    input_example: pd.DataFrame,
    **_: Any,
) -> None:
    """Write the model's folder, its example, the packages that it needs and MLflow's description of it.

    Args:
        path: where to; made here.
        mlflow_model: the description, completed and written here.
        folder: what `layerwise.inference.model.save_trained_model` wrote.
        signature: the columns that it takes and gives.
        input_example: some raw rows.
    """
    target = Path(path)
    target.mkdir(parents=True)
    shutil.copytree(folder, target / "data" / folder.name)
    requirements = [f"{package}=={version(package)}" for package in REQUIRED_PACKAGES]
    (target / "requirements.txt").write_text("\n".join(requirements) + "\n")
    python, tools = platform.python_version(), ["pip", "setuptools", "wheel"]
    described = {"python": python, "build_dependencies": tools, "dependencies": ["-r requirements.txt"]}
    (target / "python_env.yaml").write_text(yaml.safe_dump(described, sort_keys=False))
    packages = [f"python={python}", "pip", {"pip": requirements}]
    conda = {"name": "mlflow-env", "channels": ["conda-forge"], "dependencies": packages}
    (target / "conda.yaml").write_text(yaml.safe_dump(conda, sort_keys=False))
    mlflow_model.signature = signature
    _save_example(mlflow_model, input_example, path)
    pyfunc.add_to_model(
        mlflow_model,
        loader_module=LOADER_MODULE,
        data=f"data/{folder.name}",
        conda_env="conda.yaml",
        python_env="python_env.yaml",
    )
    mlflow_model.model_size_bytes = sum(each.stat().st_size for each in target.rglob("*") if each.is_file())
    mlflow_model.save(str(target / "MLmodel"))
