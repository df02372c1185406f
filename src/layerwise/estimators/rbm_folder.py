"""A fitted RBM transformer as a folder: safetensors and JSON, no pickle."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from layerwise.data import DataError
from layerwise.data.preprocessing import load_preprocessor, save_preprocessor
from layerwise.utils import atomic_write

TENSORS_FILE, STATE_FILE = "rbm_transformer.safetensors", "rbm_transformer.json"
PLAN, PREPROCESSOR = "plan.", "preprocessor"


def save_state(state: dict[str, Any], folder: str | Path) -> Path:
    """Write what `RBMTransformer.__getstate__` returns; a `random_state` that is no number is kept as None."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    values = dict(state)
    shutil.rmtree(folder / PREPROCESSOR, ignore_errors=True)
    if (preprocessor := values.pop("preprocessor_")) is not None:
        save_preprocessor(preprocessor, folder / PREPROCESSOR)
    tensors = {f"{PLAN}{name}": value for name, value in values.pop("_plan_state").items()}
    tensors |= {name: values.pop(name) for name in ("_order", "_samples")}
    if isinstance(values["random_state"], np.random.RandomState):
        values["random_state"] = None
    if "feature_names_in_" in values:
        values["feature_names_in_"] = values["feature_names_in_"].tolist()
    save_file({name: np.array(value, order="C") for name, value in tensors.items()}, folder / TENSORS_FILE)
    with atomic_write(folder / STATE_FILE) as part:
        part.write_text(json.dumps(values, indent=1, default=lambda number: number.item()))
    return folder


def load_state(folder: str | Path) -> dict[str, Any]:
    """Return what `save_state` wrote, for `RBMTransformer.__setstate__`.

    Raises:
        DataError: the folder holds no such transformer.
    """
    try:
        values = json.loads((Path(folder) / STATE_FILE).read_text())
        tensors = load_file(Path(folder) / TENSORS_FILE)
    except (OSError, ValueError, SafetensorError) as error:
        raise DataError(f"{folder} holds no RBMTransformer that can be read: {error}") from None
    values["_plan_state"] = {
        name.removeprefix(PLAN): tensors.pop(name) for name in list(tensors) if name.startswith(PLAN)
    }
    if "feature_names_in_" in values:
        values["feature_names_in_"] = np.array(values["feature_names_in_"], dtype=object)
    there = (Path(folder) / PREPROCESSOR).is_dir()
    return (
        values
        | tensors
        | {"preprocessor_": load_preprocessor(Path(folder) / PREPROCESSOR) if there else None}
    )
