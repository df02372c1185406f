"""Previews of the last trained network for Kedro-Viz, as Mermaid diagrams."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kedro.pipeline.preview_contract import MermaidPreview, TextPreview

from layerwise.models import mermaid
from layerwise.utils import problem, project_path

# Kedro-Viz hands these on to Mermaid. It pads a label inside a box measured without padding, so that words wrap.
STYLE: Any = {
    "textStyle": {"whiteSpace": "nowrap", "padding": "0px"},
    "themeVariables": {"fontSize": "18px"},
    "flowchart": {"rankSpacing": 40, "useMaxWidth": False},
}
# The activation of the output layer by task.
OUTPUTS = {"multiclass": "softmax", "binary": "sigmoid", "multilabel": "sigmoid", "regression": "linear"}


# Classes rather than nested functions: the parallel runner has to send a node to another process.
@dataclass(frozen=True)
class NetworkPreview:
    """The preview of the node that trains the network of the pipeline `name`."""

    name: str

    def __call__(self) -> MermaidPreview | TextPreview:
        """Return the diagram, or a text that there is no network yet."""
        shape = _read("06_models", self.name, "network/network.json")
        if shape is None:
            return _none_yet(self.name)
        if shape["kind"] == "calibrated":
            shape = shape["network"]
        sizes = [shape["n_inputs"], *shape["hidden_sizes"], shape["n_outputs"]]
        data_spec = _read("04_feature", self.name, "data_spec.json") or {}
        last = OUTPUTS.get(data_spec.get("task", ""), "linear")
        given = shape["activation"]
        activations = [given] * len(shape["hidden_sizes"]) if isinstance(given, str) else list(given)
        activations.append(last)
        return MermaidPreview(mermaid(sizes, activations), meta=STYLE)


@dataclass(frozen=True)
class StackPreview:
    """The preview of the node that pretrains a stack; the top two layers of a DBN are undirected, of a DBM all."""

    name: str

    def __call__(self) -> MermaidPreview | TextPreview:
        """Return the diagram, or a text that there is no stack yet."""
        shape = _read("06_models", self.name, "stack/network.json")
        if shape is None:
            return _none_yet(self.name)
        if shape["kind"] == "stacked_autoencoders":
            layers = shape["layers"]
            sizes = [layers[0]["n_inputs"], *(layer["latent_size"] for layer in layers)]
            activations = [layer["latent_activation"] for layer in layers]
            names = ["inputs", *(f"latent {k}" for k in range(1, len(sizes)))]
            return MermaidPreview(mermaid(sizes, activations, names), meta=STYLE)
        sizes = [shape["n_visible"], *shape["hidden_sizes"]]
        if shape["kind"] == "dbm":
            names = ["bernoulli inputs", "hidden 1", "hidden 2"]
            return MermaidPreview(mermaid(sizes, ["bernoulli"] * 2, names, undirected=2), meta=STYLE)
        names = [f"{shape['visible']} inputs", *(f"hidden {k}" for k in range(1, len(sizes)))]
        activations = ["bernoulli"] * len(shape["hidden_sizes"])
        return MermaidPreview(mermaid(sizes, activations, names, undirected=1), meta=STYLE)


@dataclass(frozen=True)
class RBMPreview:
    """The preview of the node that trains one RBM: two layers with an undirected connection."""

    name: str

    def __call__(self) -> MermaidPreview | TextPreview:
        """Return the diagram, or a text that there is no RBM yet."""
        shape = _read("06_models", self.name, "rbm/network.json")
        if shape is None:
            return _none_yet(self.name)
        sizes = [shape["n_visible"], shape["n_hidden"]]
        names = [f"visible: {shape['visible']}", "hidden"]
        return MermaidPreview(mermaid(sizes, [shape["hidden"]], names, undirected=1), meta=STYLE)


@dataclass(frozen=True)
class AutoencoderPreview:
    """The preview of the node that trains an autoencoder: the encoder's layers, the latent, the decoder's layers."""

    name: str

    def __call__(self) -> MermaidPreview | TextPreview:
        """Return the diagram, or a text that says what was trained."""
        shape = _read("06_models", self.name, "autoencoder_network/network.json")
        if shape is None:
            return _none_yet(self.name)
        if shape["kind"] not in ("autoencoder", "variational"):
            return TextPreview(
                f"A {shape['kind'].replace('_', ' ')} with a latent of {shape['latent_size']}."
            )
        hidden, latent = shape["hidden_sizes"], shape["latent_size"]
        sizes = [shape["n_inputs"], *hidden, latent, *reversed(hidden), shape["n_inputs"]]
        given = shape["activation"]
        encoder = [given] * len(hidden) if isinstance(given, str) else list(given)
        middle = shape.get("latent_activation", "normal")
        decoder = [shape.get("decoder_activation", given)] * len(hidden)
        names = ["row", *(f"hidden {k + 1}" for k in range(len(hidden))), "latent"]
        names += [*(f"hidden {k + 1}" for k in range(len(hidden), 2 * len(hidden))), "reconstruction"]
        last = shape.get("output", shape["loss"].replace("_", " "))
        return MermaidPreview(mermaid(sizes, [*encoder, middle, *decoder, last], names), meta=STYLE)


@dataclass(frozen=True)
class ReportPreview:
    """The preview of the node that writes a text: the last one of the pipeline `name`."""

    name: str
    file: str

    def __call__(self) -> TextPreview:
        """Return the text, or one that there is none yet."""
        file = project_path() / "data/08_reporting" / problem() / self.name / self.file
        if not file.exists():
            return TextPreview(f"No report yet: run `kedro run --pipelines={self.name}` first.")
        return TextPreview(file.read_text())


def _read(layer: str, name: str, path: str) -> dict[str, Any] | None:
    file: Path = project_path() / "data" / layer / problem() / name / path
    return json.loads(file.read_text()) if file.exists() else None


def _none_yet(name: str) -> TextPreview:
    return TextPreview(f"No network yet: run `kedro run --pipelines={name}` first.")
