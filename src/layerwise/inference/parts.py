"""What a model holds beside its network and preprocessor, for its tasks: files of data, each of which may be absent."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from layerwise.data.preprocessing import TableEncoding
from layerwise.evaluation.likelihood import RBMLikelihood, StackLikelihood
from layerwise.evaluation.unsupervised import AnomalyReference, TopicReport
from layerwise.models import Recommender, load_network, save_network
from layerwise.models.rbm import RBM
from layerwise.utils import Config

CONDITIONS_FILE = "conditions.safetensors"
# Further networks, each in a folder of its name.
NETWORKS = ("recommender", "classification_rbm", "quantiles")


@dataclass(frozen=True)
class ModelParts:
    """The parts of a model.

    Args:
        reference: what answers on new rows are compared with.
        likelihood: of an RBM: log Z with its interval.
        encoding: how a table's rows are encoded for a generator.
        conditions: (m, c) the distinct conditions that a generator was trained under.
        condition_counts: (m,) how many training rows had each.
        topics: of documents: each hidden unit's words, and its mean activation.
        recommender: of ratings: what is known of the items.
        classification_rbm: beside an RBM: one with label units, of the same rows.
        bound: of a deep belief network: log Z of its top RBM.
        quantiles: of a regression: predicts the quantiles that its intervals are around.
    """

    reference: AnomalyReference | None = None
    likelihood: RBMLikelihood | None = None
    encoding: TableEncoding | None = None
    conditions: Tensor | None = None
    condition_counts: Tensor | None = None
    topics: TopicReport | None = None
    recommender: Recommender | None = None
    classification_rbm: RBM | None = None
    bound: StackLikelihood | None = None
    quantiles: nn.Module | None = None

    def with_conditions(self, conditions: Tensor) -> ModelParts:
        """Return these parts with the conditions of all training rows, (n, c): each kept once, with its count."""
        distinct, counts = conditions.unique(dim=0, return_counts=True)
        return replace(self, conditions=distinct, condition_counts=counts)


_TYPED: dict[str, type[Config]] = {
    "reference": AnomalyReference,
    "likelihood": RBMLikelihood,
    "encoding": TableEncoding,
    "topics": TopicReport,
    "bound": StackLikelihood,
}


# A run that is done again, to its end, has other seconds and the same model, which is registered once.
_TIMES: dict[str, Any] = {"log_partition": {"seconds"}}


def save_parts(folder: Path, parts: ModelParts) -> None:
    """Write the parts that there are; those of an earlier model in the folder are removed."""
    for name in _TYPED:
        value, path = getattr(parts, name), folder / f"{name}.json"
        path.unlink(missing_ok=True)
        if value is not None:
            path.write_text(value.model_dump_json(exclude=_TIMES))
    (folder / CONDITIONS_FILE).unlink(missing_ok=True)
    if parts.conditions is not None and parts.condition_counts is not None:
        tensors = {"conditions": parts.conditions.contiguous(), "counts": parts.condition_counts.contiguous()}
        save_file(tensors, folder / CONDITIONS_FILE)
    for name in NETWORKS:
        shutil.rmtree(folder / name, ignore_errors=True)
        if getattr(parts, name) is not None:
            save_network(getattr(parts, name), folder / name)


def load_parts(folder: Path) -> ModelParts:
    """Read what `save_parts` wrote."""
    found: dict[str, Any] = {
        name: kind.model_validate_json((folder / f"{name}.json").read_text())
        for name, kind in _TYPED.items()
        if (folder / f"{name}.json").is_file()
    }
    path = folder / CONDITIONS_FILE
    tensors = load_file(path) if path.is_file() else {}
    found |= {name: load_network(folder / name) for name in NETWORKS if (folder / name).is_dir()}
    return ModelParts(**found, conditions=tensors.get("conditions"), condition_counts=tensors.get("counts"))
