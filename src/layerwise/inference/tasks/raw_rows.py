"""A network's rows in the units of raw rows, and raw rows with empty cells for a network."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from layerwise.data import raw_columns
from layerwise.data.preprocessing.columns import PAIR_PARTS, feature_name, join_pair, pair_numbers

if TYPE_CHECKING:
    import pandas as pd

    from layerwise.inference.model import TrainedModel


def raw_frame(model: TrainedModel, matrix: np.ndarray) -> pd.DataFrame:
    """Return a network's rows (n, n_inputs) in raw units: a table's columns in their types, or pixels."""
    import pandas as pd

    restored = model.preprocessor.restore_inputs(matrix)
    if not model.has_image_inputs:
        return restored
    pixels = restored.reshape(len(matrix), -1)
    if model.preprocessor.white == 1:
        pixels = np.asarray(matrix, dtype=np.float64).clip(0, 1)
    return pd.DataFrame(pixels, columns=model.raw_names)


def within_range(model: TrainedModel, found: pd.DataFrame) -> pd.DataFrame:
    """Return a table's raw rows with each number between the least and the largest of training, also each of two
    in a cell.
    """
    if model.has_image_inputs:
        return found
    state, clipped = model.preprocessor.state, {}
    ranges = {
        name: (summary["points"][0], summary["points"][-1])
        for name, summary in state.get("summary", {}).get("columns", {}).items()
        if summary.get("points")
    }
    for name, kind in state["kinds"].items():
        if name in found and kind == "number" and name in ranges:
            clipped[name] = found[name].clip(*ranges[name]).astype(found[name].dtype)
        elif name in found and kind == "pair":
            parts = [feature_name(name, part, state["kinds"]) for part in PAIR_PARTS]
            numbers = zip(pair_numbers(found[name]).T, (ranges.get(part) for part in parts), strict=True)
            first, second = (each if limits is None else each.clip(*limits) for each, limits in numbers)
            mark = model.preprocessor.reading.columns[name].mark
            clipped[name] = join_pair(first, second, mark).set_axis(found.index)
    return found.assign(**clipped)


def as_written(model: TrainedModel, found: pd.DataFrame) -> pd.DataFrame:
    """Return raw rows with the cells of a table as its training file has them, so that the model reads them again."""
    if model.has_image_inputs:
        return found
    return model.preprocessor.reading.as_written(found)


def inputs_with_empty_cells(model: TrainedModel, rows: Any) -> tuple[Tensor, Tensor]:
    """Return rows as the network takes them, and which of its inputs come from empty cells, both (n, n_inputs).

    What is empty has any value in the first; what comes from one raw column is empty together.

    Args:
        model: a model of a table or of images.
        rows: selected ones: a DataFrame, or pixels (n, d) with NaN where a pixel is empty.
    """
    if model.has_image_inputs:
        pixels = np.asarray(rows, dtype=np.float64).reshape(len(rows), -1)
        return model.inputs(np.nan_to_num(rows)), torch.from_numpy(np.isnan(pixels))
    with warnings.catch_warnings():
        # Of empty cells in columns that had none in training: they are what is asked for.
        warnings.simplefilter("ignore")
        inputs = model.inputs(rows)
    missing = torch.zeros(inputs.shape, dtype=torch.bool)
    for name, blocks in raw_columns(model.columns.blocks).items():
        empty = torch.tensor(rows[name].isna().to_numpy())
        for block in blocks:
            missing[:, block.start : block.stop] = empty[:, None]
    return inputs, missing


def with_given_cells(
    model: TrainedModel, rows: Any, found: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return raw rows with their empty cells filled, and which cells these were (n, columns).

    Args:
        model: whose raw rows they are.
        rows: as they were given: what is there stays to the last digit.
        found: of `raw_frame`, what the empty cells become.
    """
    import pandas as pd

    if model.has_image_inputs:
        given = pd.DataFrame(np.asarray(rows, np.float64).reshape(len(rows), -1), columns=list(found))
    else:
        given = rows.reset_index(drop=True)[list(found)]
    empty = given.isna()
    filled: dict[Any, Any] = {
        name: given[name].where(~empty[name], found[name]) if empty[name].any() else given[name]
        for name in found
    }
    return pd.DataFrame(filled), empty
