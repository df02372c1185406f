"""A table's target: which column is likeliest to be it, and the task that its values make."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from layerwise.data import DataError, ReadingSettings, Task
from layerwise.data.preprocessing import class_text, far_from_others
from layerwise.data.reading import SuggestedSetting
from layerwise.data.reading.cells import NULL_WORDS, cell_text, find_date_formats, plain_text, trim
from layerwise.profiling.columns import LIST_MARKS, ColumnProfile
from layerwise.profiling.proposal import Choice

if TYPE_CHECKING:
    import pandas as pd

TARGET_NAMES = ("target", "label", "class", "y", "outcome", "response", "output", "result")
# What tables are made to foretell, and amounts, which are inputs of other tables as well.
EVENTS = (
    "churn", "churned", "exited", "attrition", "default", "defaulted", "survived", "survival", "died", "dead", "death",
    "deceased", "diagnosis", "fraud", "spam", "bought", "purchase", "purchased", "approve", "approved", "accepted",
    "converted", "subscribed", "canceled", "cancelled", "species", "decision", "vote", "sentiment", "status",
)  # fmt: skip
# What is written beside a row, and is rarely foretold.
REMARKS = {
    "comment", "comments", "note", "notes", "remark", "remarks", "feedback", "description", "bemerkung",
}  # fmt: skip
AMOUNTS = ("price", "salary", "wage", "wages", "sales", "revenue")
WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
MAX_CLASSES, FEW_NUMBERS = 50, 10
# In the mean, of a target that is named and has more classes.
ROWS_A_CLASS = 5
LONG_TAIL = 3.0
# Of each class: one row for training, validation and test.
MIN_CLASS_ROWS = 3
FEW_ROWS, MANY_ROWS, FOLDS = 1000, 1_000_000, 5
MOST_IN_MEMORY = 5_000_000
# How many classes have several labels at least.
MIN_LISTED = 2
# What is the same answer as the longer word.
SHORT_WORDS = {"y": "yes", "n": "no", "t": "true", "f": "false"}
# The reason for the target that the user names.
AS_NAMED = "as the command says"
# A class of so many times fewer rows, and nearly its name, may be a slip; and how many of these are named.
MUCH_MORE, MOST_NAMED = 20, 5


class TargetGuess(NamedTuple):
    """The column that is taken for the target, why, and the runner-up."""

    name: str
    reason: str
    other: str = ""


def guess_target(columns: list[ColumnProfile]) -> TargetGuess:
    """Return the column that is likeliest to be the target, by the first of these rules that finds one.

    It is called a target, or after what is foretold; it is the last column and the only one of two values; it is called
    an amount, such as price; it is the last column and its name ends with an amount; it alone holds words of yes and
    no; it is the last that can be learnt. By place remarks and mostly empty columns come after all others.
    """
    can = [each for each in columns if each.role == "input"]
    if len(can) < 1 or len(columns) < 2:
        raise DataError("the table has no column that could be learnt from others; it needs two at least")
    by_place = list(reversed(can))
    by_place.sort(key=_is_beside_the_row)
    last, others = by_place[0], [each.name for each in by_place]
    of_two = [each.name for each in can if each.n_distinct == 2]
    # A column of yes and no words beside others is rarely anything else; 0 and 1 often are.
    said = [each.name for each in can if each.kind == "boolean" and not set(each.examples) <= {"0", "1"}]
    rules = (
        (_called(others, TARGET_NAMES, {each.name for each in columns}), "by its name"),
        (_called(others, EVENTS), "by its name"),
        (last.name if of_two == [last.name] else "", "the last column, and the only one of two values"),
        (_called(others, AMOUNTS), "by its name"),
        (last.name if (_words(last.name) or [""])[-1] in AMOUNTS else "", "the last column, and by its name"),
        (said[0] if len(said) == 1 else "", "the only column of yes and no"),
        (last.name, "the last column that can be learnt"),
    )
    name, reason = next(rule for rule in rules if rule[0])
    return TargetGuess(name, reason, next((each for each in others if each != name), ""))


def _is_beside_the_row(column: ColumnProfile) -> bool:
    """Return whether a column is mostly empty, or is called a remark."""
    return 2 * column.n_missing > column.n_rows or not REMARKS.isdisjoint(_words(column.name))


def _called(names: list[str], words: Sequence[str], beside: Collection[str] = ()) -> str:
    """Return the first name that is one of some words, the first of these that is there; empty for none."""
    for word in words:
        if word == "y" and any(_words(name) == ["x"] for name in beside):
            continue  # a place on a map
        for name in names:
            if _words(name) == [word]:
                return name
    return ""


def _words(name: str) -> list[str]:
    """Return the words of a name in small letters: sale and price of SalePrice or sale_price."""
    return [word.lower() for word in WORD.findall(name)]


def choose_task(target: pd.Series, profile: ColumnProfile, named: bool = False) -> Choice:
    """Return the task for a target's values; one that the command names may have more classes than a guessed one."""
    n = profile.n_distinct
    if n < 2:
        raise DataError(f"the target '{profile.name}' has one value only: there is nothing to learn")
    if n == 2:
        return Choice("problem.task", "binary", f"'{profile.name}' has two values")
    number = profile.kind == "number"
    whole = number and bool((target % 1 == 0).all())
    if number and not (whole and n <= FEW_NUMBERS):
        reason = f"'{profile.name}' holds numbers, {n} different ones"
        other = "multiclass" if whole and n <= MAX_CLASSES else ""
        return Choice("problem.task", "regression", reason, other)
    are_many = ROWS_A_CLASS * n <= len(target)
    if n > MAX_CLASSES and not (named and are_many):
        what = (
            "dates, which are no numbers to be learnt"
            if _are_dates(target)
            else "texts, too many for classes"
        )
        instead = f"--target '{profile.name}' takes it" if are_many else "name another: --target COLUMN"
        raise DataError(f"the target '{profile.name}' has {n} different {what}; {instead}")
    reason = f"'{profile.name}' has {n} " + ("whole numbers" if whole else "names")
    return Choice("problem.task", "multiclass", reason, "regression" if whole else "")


def _are_dates(target: pd.Series) -> bool:
    texts = target.map(class_text).value_counts()
    dates = find_date_formats(texts.index.tolist(), texts.to_numpy())
    return dates is not None and bool(dates.looks_like.all())


def propose_transform(target: pd.Series, task: Task) -> list[Choice]:
    """Propose the logarithm of a target with a long tail as the runner-up: it changes what is minimized."""
    if task != "regression" or target.min() < 0:
        return []
    values = target.to_numpy(dtype=np.float64)
    spread = values.std()
    skew = float((((values - values.mean()) / spread) ** 3).mean()) if spread else 0.0
    if skew < LONG_TAIL:
        return []
    reason = (
        f"absolute errors count, though its tail is long (skewness {skew:.0f}); by log1p relative ones would"
    )
    return [Choice("problem.target_transform", "none", reason, "log1p")]


def propose_by_number(target: pd.Series, task: Task) -> list[Choice]:
    """Return the settings that few rows need, of a class or of all, or very many."""
    found = []
    rare = _rare_classes(target) if task != "regression" else []
    if rare:
        reason = f"{', '.join(map(repr, rare[:5]))}: fewer than {MIN_CLASS_ROWS} rows, which stratified samples need"
        found.append(Choice("split.stratify", False, reason))
    if len(target) < FEW_ROWS:
        reason = f"{len(target)} rows are few; cross-validation measures on every one of them:"
        found.append(Choice("split.folds", FOLDS, reason, is_suggestion=True))
    if len(target) >= MANY_ROWS:
        reason = f"{len(target):,} rows are many; each has its place by itself, also when others are added"
        found.append(Choice("split.method", "hash", reason, "sampled"))
    if len(target) >= MOST_IN_MEMORY:
        reason = "mlp, rbm and autoencoder can learn from rows that stay in files, if these are Parquet:"
        found.append(Choice("compute.out_of_core", True, reason, is_suggestion=True))
    return found


def _rare_classes(target: pd.Series) -> list[str]:
    counts = Counter(class_text(value) for value in target.tolist())
    return sorted(name for name, count in counts.items() if count < MIN_CLASS_ROWS)


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
    names = {str(name): str(name) for name in counts.index}
    lower = {name.lower(): name for name in names}
    found = []
    for name, count in counts.items():
        # Each may be frequent: >50K. beside >50K, and y beside yes.
        twins = {names.get(str(name).rstrip(" .")), lower.get(SHORT_WORDS.get(str(name).lower(), ""))}
        if twins := twins - {None, name}:
            found.append(f"'{name}' ({count}) for '{twins.pop()}'")
            continue
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
    for mark in LIST_MARKS:
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


def null_classes(
    settings: ReadingSettings, cells: pd.DataFrame, classes: Collection[str]
) -> list[SuggestedSetting]:
    """Return the setting for each target in which NA or the like stands beside two classes and more."""
    found = []
    for name in [each for each in cells if trim(str(each)) in classes]:
        texts = cells[name].dropna().map(cell_text).map(plain_text)
        null = texts.isin({*NULL_WORDS} - {"None", *(settings.missing or ())})
        if null.any() and texts[~null & (texts != "")].nunique() > 1:
            words = sorted(set(texts[null]))
            reason = f"target '{trim(str(name))}': {', '.join(words)} in {int(null.sum())} row(s) is hardly a class"
            missing = list(dict.fromkeys([*words, *(settings.missing or NULL_WORDS[:2])]))
            found.append(SuggestedSetting("missing", missing, reason, "no such line, if it is a class"))
    return found
