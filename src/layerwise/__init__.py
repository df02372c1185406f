"""Layerwise: classic deep networks as tracked Kedro pipelines."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from layerwise.inference import AskedModel

__version__ = "0.1.0"


def load(model: str, tracking_uri: str | None = None, *, strict: bool = False) -> AskedModel:
    """Return a trained model that answers: `encode`, `score`, `sample`, `predict`, ...

    Args:
        model: a registered name with its alias or version (`digits.rbm@champion`, `digits/3`), a run's id, or a folder.
        tracking_uri: of the tracking server; by default `MLFLOW_TRACKING_URI`, or else the store of the project that
            the present folder lies in.
        strict: refuse rows with cells of a kind that training never had.

    Raises:
        ModelError: there is no such model, or its files are not those that were saved.
    """
    from pathlib import Path

    from kedro.utils import find_kedro_project

    from layerwise.inference import AskedModel, load_trained_model
    from layerwise.tracking import find_model, tracking_uri as default_uri

    here = Path.cwd()
    found = find_model(model, tracking_uri or default_uri(find_kedro_project(here) or here))
    return AskedModel(load_trained_model(found.folder, found.sha256), found.name, strict)
