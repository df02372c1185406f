"""The data spec of a fitted table: which input columns come from which raw one; and the raw columns of these."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from layerwise.data.data_spec import ColumnBlock, DataSpec
from layerwise.data.preprocessing.columns import (
    PAIR_PARTS,
    PARTS,
    days_of,
    feature_name,
    restore_date,
    restore_pair,
    restore_type,
)
from layerwise.data.preprocessing.many_values import restore_encoded
from layerwise.data.problem import PreprocessingSettings, Problem
from layerwise.data.reading.cells import Reading

if TYPE_CHECKING:
    import pandas as pd


def make_data_spec(
    state: dict[str, Any], problem: Problem, settings: PreprocessingSettings, attributes: Mapping[Any, Any]
) -> dict[str, Any]:
    """Return the data spec of a fitted table as plain values.

    Args:
        state: of the preprocessor.
        problem: of the table.
        settings: of the preprocessing.
        attributes: of the raw table: `source` and `sha256`.
    """
    blocks, names = _blocks(state, settings)
    outputs = len(state["classes"]) if problem.task == "multiclass" else len(problem.targets)
    return DataSpec(
        task=problem.task,
        n_inputs=len(names),
        n_outputs=outputs,
        feature_names=tuple(names),
        blocks=tuple(blocks),
        target_names=problem.targets,
        class_names=tuple(state["classes"]),
        target_means=tuple(state["target_means"]),
        target_scales=tuple(state["target_scales"]),
        target_transform=problem.target_transform,
        target_parameters=state["target_parameters"],
        source=str(attributes.get("source", "")),
        sha256=str(attributes.get("sha256", "")),
    ).model_dump(mode="json")


def _blocks(state: dict[str, Any], settings: PreprocessingSettings) -> tuple[list[ColumnBlock], list[str]]:
    """Return the blocks of inputs in their order, and the names of all inputs."""
    blocks: list[ColumnBlock] = []
    names: list[str] = []
    kinds = state["kinds"]
    raw_of = {feature_name(n, part, kinds): n for n, kind in kinds.items() for part in PARTS.get(kind, ())}
    raw_of |= {
        feature: name for name, features in (state["coded"] | state["texts"]).items() for feature in features
    }
    taken = {*state["numbers"], *state["booleans"]}

    def of_column(name: str, parts: list[str]) -> list[str]:
        """Return names of inputs that are made of a column, which no other input has."""
        found = [feature_name(name, part, taken) for part in parts]
        taken.update(found)
        return found

    def add(name: str, kind: Any, columns: list[str], **of_block: Any) -> None:
        start = len(names)
        names.extend(columns)
        raw = raw_of.get(name) or (name if name in state["indicators"] else "")
        block = {"name": name, "kind": kind, "start": start, "stop": len(names), "raw": raw} | of_block
        blocks.append(ColumnBlock(**block))

    for name in state["numbers"]:
        add(name, "real", [name])
    for name in state["booleans"]:
        add(name, "binary", [name])
    for i, name in enumerate(state["categories"]):
        known = [str(c) for c in state["encoder"].categories_[i]]
        shown = known[1:] if settings.drop_first else known
        add(name, "categorical", of_column(name, shown), categories=tuple(known))
    for name in state["indicators"]:
        (feature,) = of_column(name, ["missing"])
        add(feature, "binary", [feature], raw=name, is_indicator=True)
    return blocks, names


def restore_columns(
    s: Mapping[str, Any],
    n_rows: int,
    numbers: dict[str, np.ndarray],
    others: Mapping[str, np.ndarray],
    reading: Reading,
) -> dict[str, pd.Series]:
    """Return the raw columns in their order and types.

    Args:
        s: the preprocessor's state.
        n_rows: how many rows there are.
        numbers: (n_rows,) each, unscaled, by the names of the inputs.
        others: booleans and categories, by the names of the columns.
        reading: of the table.
    """
    restored: dict[str, Any] = {}
    for name, dtype in s["original"].items():
        if name in s["whole_days"]:
            restored[name] = restore_date(days_of(numbers, name, s["kinds"]), dtype, s["whole_days"][name])
        elif s["kinds"].get(name) == "pair":
            parts = [numbers[feature_name(name, part, s["kinds"])] for part in PAIR_PARTS]
            restored[name] = restore_pair(parts, reading.columns[name])
        elif name in s["left_out"] or s["kinds"].get(name) == "encoded":
            restored[name] = restore_encoded(name, numbers, s)
        elif name in s["constants"]:
            restored[name] = restore_type(np.full(n_rows, s["constants"][name], dtype=object), dtype)
        else:
            restored[name] = restore_type(numbers[name] if name in numbers else others[name], dtype)
    return restored
