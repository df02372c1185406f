"""What is to be said of the values of a target: unknown ones, far ones, lists of labels, misspelt classes."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

import numpy as np

from layerwise.data import Task
from layerwise.data.preprocessing import far_from_others

if TYPE_CHECKING:
    import pandas as pd

# What separates the labels of a class, and how many classes have several at least.
LABEL_MARKS, MIN_LISTED = (";", "|", ","), 2
# A class of so many times fewer rows, and nearly its name, may be a slip; and how many of these are named.
MUCH_MORE, MOST_NAMED = 20, 5


def describe_target(frame: pd.DataFrame, target: pd.Series, task: Task) -> list[str]:
    """Return what is to be said of the target: the known values of it among all rows."""
    found: list[str] = []
    if n_empty := len(frame) - len(target):
        found.append(
            f"{n_empty} of {len(frame)} rows have no {target.name}: nothing can be learnt of it there"
        )
    found += (
        [*_lists_of_labels(target), *_misspelt_classes(target)] if task in ("binary", "multiclass") else []
    )
    values = target.to_numpy(dtype=np.float64) if task == "regression" else np.zeros(0)
    far = values[far_from_others(values)] if len(values) else values
    if len(far):
        found.append(
            f"{len(far)} of {len(values)} values of {target.name} lie absurdly far from all others, such as "
            f"{far[0]:g}: they count by their size alone (finetuning.loss: huber); correct or leave out their rows if "
            "they are mistakes"
        )
    return found


def _misspelt_classes(target: pd.Series) -> list[str]:
    """Say which rare classes are called nearly as a frequent one."""
    counts = target.astype(str).value_counts()
    found = []
    for name, count in counts.items():
        more_frequent = map(str, counts.index[counts >= MUCH_MORE * count])
        much_more = [other for other in more_frequent if _digits(other) == _digits(str(name))]
        if len(str(name)) > 3 and (like := get_close_matches(str(name), much_more, 1, 0.8)):
            found.append(f"'{name}' ({count}) for '{like[0]}'")
    if not found:
        return []
    more = f" and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
    shown = f"{', '.join(found[:MOST_NAMED])}{more}"
    return [
        f"some classes of {target.name} may be slips of the pen: {shown}; each is a class of its own unless it is "
        "corrected in the file"
    ]


def _digits(name: str) -> str:
    """Return the digits of a name: of group 1 and group 2 none is a slip for the other."""
    return "".join(filter(str.isdigit, name))


def _lists_of_labels(target: pd.Series) -> list[str]:
    """Say that classes are lists of labels, such as urgent;billing."""
    names = [str(value) for value in target.unique()]
    for mark in LABEL_MARKS:
        cells = [name.split(mark) for name in names]
        listed = [cell for cell in cells if len(cell) > 1]
        labels = {part.strip() for cell in cells for part in cell}
        if len(listed) >= MIN_LISTED and len(labels) <= len(names) and labels & set(names):
            return [
                f"the classes of {target.name} are lists of labels ({mark.join(listed[0])}), and each combination is a "
                f"class of its own. To learn each label for itself, make a column of 0 and 1 of each (pandas: "
                f"table['{target.name}'].str.get_dummies('{mark}')), and name them all as target, with task: multilabel"
            ]
    return []
