"""Drawings of the last trained network for Kedro-Viz."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kedro.pipeline.preview_contract import MermaidPreview, TextPreview

from layerwise.models.diagram import mermaid
from layerwise.place import problem, project_path


# Classes rather than nested functions: the parallel runner has to send a node to another process.
@dataclass(frozen=True)
class NetworkPreview:
    """The preview of the node that trains the network of the pipeline `name`."""

    name: str

    def __call__(self) -> MermaidPreview | TextPreview:
        """Return the drawing, or say that there is no network yet."""
        shape = _shape(self.name, "network")
        if shape is None:
            return _none_yet(self.name)
        sizes = [shape["n_inputs"], *shape["hidden_sizes"], shape["n_outputs"]]
        activations = [shape["activation"]] * len(shape["hidden_sizes"]) + ["task head"]
        return MermaidPreview(mermaid(sizes, activations))


@dataclass(frozen=True)
class StackPreview:
    """The preview of the node that pretrains a stack: its top two layers are undirected."""

    name: str

    def __call__(self) -> MermaidPreview | TextPreview:
        """Return the drawing, or say that there is no stack yet."""
        shape = _shape(self.name, "stack")
        if shape is None:
            return _none_yet(self.name)
        sizes = [shape["n_visible"], *shape["hidden_sizes"]]
        names = [f"{shape['visible']} inputs", *(f"hidden {k}" for k in range(1, len(sizes)))]
        activations = ["bernoulli"] * len(shape["hidden_sizes"])
        return MermaidPreview(mermaid(sizes, activations, names, undirected=1))


def _shape(name: str, network: str) -> dict[str, Any] | None:
    file: Path = project_path() / "data/06_models" / problem() / name / network / "network.json"
    return json.loads(file.read_text()) if file.exists() else None


def _none_yet(name: str) -> TextPreview:
    return TextPreview(f"No network yet: run `kedro run --pipelines={name}` first.")
