"""Find the rules that all training rows keep and chance does not explain, and check those that are stated."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from itertools import combinations, permutations
from typing import TYPE_CHECKING

import numpy as np

from layerwise.data.errors import DataError
from layerwise.data.row_rules.rules import Combinations, RowRules, ordered_values, texts_of
from layerwise.data.row_rules.settings import RuleSettings
from layerwise.utils import nearest

if TYPE_CHECKING:
    import pandas as pd

# Rows that would break a rule if its columns were independent. That none of them does has the chance exp(-30).
EXPECTED = 30
# Pairs of more columns are no longer looked at: of 60 there are 1,770.
MOST_COLUMNS = 60
# Columns of more values than this name things rather than sort them.
MOST_VALUES = 200
# Most pairs that do not keep a rule break it in these.
FIRST_ROWS = 1000
SHOWN = 5
log = logging.getLogger(__name__)


def find_rules(frame: pd.DataFrame, kinds: Mapping[str, str], settings: RuleSettings) -> RowRules:
    """Return the rules that are stated, and those that all training rows keep.

    Args:
        frame: the training rows.
        kinds: what each column holds: number, boolean, category or date; other columns are not looked at.
        settings: with the stated rules.

    Raises:
        DataError: a stated rule names no column of the table, or training rows break it.
    """
    stated = _stated_rules(frame, settings)
    if not settings.find:
        return stated
    known = {*stated.at_most, *(each.columns for each in stated.combinations)}
    at_most = [pair for kind in ("number", "date") for pair in _ordered_pairs(frame, _of_kind(kinds, kind))]
    together = _combined_pairs(frame, [*_of_kind(kinds, "category"), *_of_kind(kinds, "boolean")])
    at_most = [pair for pair in at_most if pair not in known and pair[::-1] not in known]
    together = [each for each in together if each.columns not in known]
    found = RowRules(at_most=tuple(at_most), combinations=tuple(together))
    if found:
        said = found.in_words()
        more = f" and {len(said) - SHOWN} more" if len(said) > SHOWN else ""
        log.info(
            "Found in all training rows, and kept by rows that are drawn: %s", "; ".join(said[:SHOWN]) + more
        )
    return RowRules(
        at_most=(*stated.at_most, *found.at_most),
        unique=stated.unique,
        combinations=(*stated.combinations, *found.combinations),
    )


def _of_kind(kinds: Mapping[str, str], kind: str) -> list[str]:
    return [name for name, each in kinds.items() if each == kind][:MOST_COLUMNS]


def _stated_rules(frame: pd.DataFrame, settings: RuleSettings) -> RowRules:
    names = [str(name) for name in frame]
    for name in settings.named:
        if name not in names:
            raise DataError(f"problem.rules: column '{name}' is not in the table{nearest(name, names)}")
    rules = RowRules(
        at_most=settings.at_most,
        unique=settings.unique,
        combinations=tuple(_combinations(frame, group) for group in settings.combinations),
    )
    for said, rows in rules.broken(frame):
        if rows.any():
            raise DataError(
                f"problem.rules: {int(rows.sum()):,} of {len(frame):,} training rows break '{said}', first row "
                f"{frame.index[rows][0]}; correct the rows, or leave the rule out"
            )
    return rules


def _combinations(frame: pd.DataFrame, columns: tuple[str, ...]) -> Combinations:
    import pandas as pd

    texts = pd.DataFrame({name: texts_of(frame[name]) for name in columns})
    return Combinations(columns=columns, rows=tuple(texts.value_counts().index.tolist()))


def _ordered_pairs(frame: pd.DataFrame, names: list[str]) -> list[tuple[str, str]]:
    """Return the pairs of columns of which the first is at most the second in every row."""
    first = {name: ordered_values(frame[name].head(FIRST_ROWS)) for name in names}
    order = np.random.default_rng(0).permutation(len(frame))
    found: list[tuple[str, str]] = []
    for low, high in permutations(names, 2):
        if (high, low) in found or _above(first[low], first[high]):
            continue
        lower, higher = ordered_values(frame[low]), ordered_values(frame[high])
        # Paired at random, rows break the rule as often as if the columns were independent.
        if not _above(lower, higher) and _above(lower, higher[order]) >= EXPECTED:
            found.append((low, high))
    return found


def _above(low: np.ndarray, high: np.ndarray) -> int:
    with np.errstate(invalid="ignore"):
        return int((low > high).sum())


def _combined_pairs(frame: pd.DataFrame, names: list[str]) -> list[Combinations]:
    """Return the pairs of columns some of whose values never meet though each would be expected to.

    If some values never meet that are rare enough to miss each other by chance, they may meet in other rows: then there
    is no rule, unless one column follows from the other.
    """
    import pandas as pd

    codes = {name: pd.factorize(frame[name], use_na_sentinel=False)[0] for name in names}
    sizes = {name: int(each.max(initial=-1)) + 1 for name, each in codes.items()}
    few = [name for name in names if 2 <= sizes[name] <= MOST_VALUES]
    found = []
    for one, other in combinations(few, 2):
        both = codes[one] * sizes[other] + codes[other]
        counts = np.bincount(both, minlength=sizes[one] * sizes[other]).reshape(sizes[one], sizes[other])
        expected = np.outer(counts.sum(1), counts.sum(0)) / len(frame)
        absent = expected[counts == 0]
        follows = min((counts > 0).sum(0).max(), (counts > 0).sum(1).max()) == 1
        if len(absent) and (absent.min() >= EXPECTED or (follows and absent.sum() >= EXPECTED)):
            found.append(_combinations(frame, (one, other)))
    return found
