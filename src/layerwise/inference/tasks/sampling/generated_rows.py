"""Draw rows from the generator of a GAN, given some of their categories or none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from layerwise.data.preprocessing import EncodedColumn, TableEncoding, class_text, decode
from layerwise.data.reading.cells import row_errors_of
from layerwise.data.reading.pairs import pair_form, pair_of
from layerwise.inference.tasks.base import TaskError
from layerwise.inference.tasks.raw_rows import raw_frame
from layerwise.models.gan import Generator
from layerwise.utils import nearest

if TYPE_CHECKING:
    import pandas as pd

    from layerwise.inference.model import TrainedModel

# Rows that are drawn for each row with conditions before it is given up.
CANDIDATES = 2000
CANDIDATES_AT_ONCE = 200


def sample_generator(
    model: TrainedModel, rows: pd.DataFrame | None, n: int, rng: torch.Generator
) -> pd.DataFrame:
    """Return generated rows in raw units: n, or one for each given row, whose filled cells it has.

    A generator was trained under conditions that fix the target and one category more at most, so that rows are drawn
    under those that agree with what is given, until one agrees in all of it.

    Raises:
        TaskError: a condition is a number, a category that training never had, or never met.
    """
    import pandas as pd

    generator, encoding = model.network, model.parts.encoding
    assert isinstance(generator, Generator)
    if rows is None:
        return _restored(model, _draw(model, n, rng, None))
    if encoding is None:
        raise TaskError("a generator of images draws free rows alone: leave the rows out, and say n")
    found = [
        _draw_one(model, encoding, _codes(row, encoding), rng) for _, row in rows.astype(object).iterrows()
    ]
    return _restored(model, torch.cat(found)) if found else pd.DataFrame(columns=list(rows))


def _restored(model: TrainedModel, matrix: Tensor) -> pd.DataFrame:
    encoding = model.parts.encoding
    return raw_frame(model, matrix.numpy()) if encoding is None else decode(matrix.numpy(), encoding)


def _draw(model: TrainedModel, n: int, rng: torch.Generator, allowed: Tensor | None) -> Tensor:
    """Return n generated rows, under conditions as often as training rows had them, of those that are allowed."""
    generator, conditions, counts = model.network, model.parts.conditions, model.parts.condition_counts
    assert isinstance(generator, Generator)
    if conditions is None or counts is None:
        return generator.cpu().sample(n, rng)
    weights = counts.double() if allowed is None else counts.double() * allowed
    chosen = torch.multinomial(weights, n, replacement=True, generator=rng)
    return generator.cpu().sample(n, rng, conditions[chosen])


def validate_conditions(rows: pd.DataFrame, encoding: TableEncoding) -> np.ndarray:
    """Return why a row's filled cells cannot be conditions, (n,) text: a number, or an unknown category."""
    errors = row_errors_of(rows)
    reasons = np.full(len(rows), "", dtype=object) if errors is None else errors.reasons.copy()
    for k, (_, row) in enumerate(rows.astype(object).iterrows()):
        try:
            _codes(row, encoding)
        except TaskError as error:
            reasons[k] = reasons[k] or str(error)
    return reasons


def _codes(row: pd.Series, encoding: TableEncoding) -> dict[EncodedColumn, int]:
    """Return the positions of a row's filled cells among the categories of their columns."""
    found = {}
    for column in encoding.columns:
        cell = row[column.raw_name]
        if cell is None or cell != cell or cell == "":
            continue
        if column.modes is not None:
            raise TaskError(
                f"{column.name} is a number, and a generator's conditions are categories: "
                f"{', '.join(each.name for each in encoding.categorical_columns)}"
            )
        if column.pair:
            pair = pair_of(str(cell), column.mark)
            if pair is None:
                raise TaskError(f"{column.pair} holds '{cell}', and is {pair_form(column.mark)}")
            cell = pair[column.part]
        text = class_text(cell)
        if text not in column.categories:
            hint = nearest(text, [each for each in column.categories if each])
            raise TaskError(f"{column.name} holds '{text}', which training never saw{hint}")
        found[column] = column.categories.index(text)
    return found


def _draw_one(
    model: TrainedModel,
    encoding: TableEncoding,
    given: dict[EncodedColumn, int],
    rng: torch.Generator,
) -> Tensor:
    """Return one generated row (1, width) that has the given categories."""
    allowed = _agreeing_conditions(model.parts.conditions, encoding, given)
    for _ in range(CANDIDATES // CANDIDATES_AT_ONCE):
        drawn = _draw(model, CANDIDATES_AT_ONCE, rng, allowed)
        agrees = np.ones(len(drawn), dtype=bool)
        for column, code in given.items():
            agrees &= (drawn[:, column.start : column.stop].argmax(1) == code).numpy()
        if agrees.any():
            return drawn[int(agrees.argmax())][None]
    named = ", ".join(f"{column.name} '{column.categories[code]}'" for column, code in given.items())
    raise TaskError(f"none of {CANDIDATES:,} generated rows has {named}")


def _agreeing_conditions(
    conditions: Tensor | None, encoding: TableEncoding, given: dict[EncodedColumn, int]
) -> Tensor | None:
    """Return 1 for each condition that agrees with as many of the given categories as any does, and 0 for others."""
    if conditions is None:
        return None
    at, matches, wrong = 0, torch.zeros(len(conditions)), torch.zeros(len(conditions), dtype=torch.bool)
    for column in encoding.categorical_columns:
        block = conditions[:, at : at + len(column.categories)]
        at += len(column.categories)
        if column in given:
            fixed = block.sum(1) > 0
            same = block[:, given[column]] > 0
            matches += same
            wrong |= fixed & ~same
    matches[wrong] = -1
    return (matches == matches.max()).double()
