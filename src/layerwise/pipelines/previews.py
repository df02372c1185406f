"""Drawings of the last trained network for Kedro-Viz."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kedro.pipeline.preview_contract import MermaidPreview, TextPreview

from layerwise.models.diagram import mermaid
from layerwise.place import problem, project_path

Preview = Callable[[], MermaidPreview | TextPreview]


def network_preview(name: str) -> Preview:
    """Return the preview of the node that trains the pipeline's network."""

    def preview() -> MermaidPreview | TextPreview:
        shape = _shape(name, "network")
        if shape is None:
            return _none_yet(name)
        sizes = [shape["n_inputs"], *shape["hidden_sizes"], shape["n_outputs"]]
        activations = [shape["activation"]] * len(shape["hidden_sizes"]) + ["task head"]
        return MermaidPreview(mermaid(sizes, activations))

    return preview


def stack_preview(name: str) -> Preview:
    """Return the preview of the node that pretrains the stack: its top two layers are undirected."""

    def preview() -> MermaidPreview | TextPreview:
        shape = _shape(name, "stack")
        if shape is None:
            return _none_yet(name)
        sizes = [shape["n_visible"], *shape["hidden_sizes"]]
        names = [f"{shape['visible']} inputs", *(f"hidden {k}" for k in range(1, len(sizes)))]
        activations = ["bernoulli"] * len(shape["hidden_sizes"])
        return MermaidPreview(mermaid(sizes, activations, names, undirected=1))

    return preview


def _shape(name: str, network: str) -> dict[str, Any] | None:
    file: Path = project_path() / "data/06_models" / problem() / name / network / "network.json"
    return json.loads(file.read_text()) if file.exists() else None


def _none_yet(name: str) -> TextPreview:
    return TextPreview(f"No network yet: run `kedro run --pipelines={name}` first.")
