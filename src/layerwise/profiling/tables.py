"""A table's proposal: its task and target, the positive class, the columns that are no inputs."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from layerwise.data import DataError, Task
from layerwise.data.preprocessing import class_text, far_from_others, find_leaks
from layerwise.profiling.columns import ColumnProfile, profile_columns
from layerwise.profiling.proposal import Choice, choose_positive
from layerwise.profiling.reading import SettledTable, settle_reading
from layerwise.utils import nearest

if TYPE_CHECKING:
    import pandas as pd

TARGET_NAMES = ("target", "label", "class", "y", "outcome", "response", "output", "result")
MAX_CLASSES, FEW_NUMBERS = 50, 10
# Of each class: one row for training, validation and test.
MIN_CLASS_ROWS = 3
LONG_TAIL = 3.0
LEAK = "it alone decides"
FEW_ROWS, VERY_FEW_ROWS, MANY_ROWS, FOLDS = 1000, 100, 1_000_000, 5
MOST_IN_MEMORY = 5_000_000
# A total: of how many numbers at least, and how far rounded cells may sum up beside it.
MIN_SUMMANDS, SUM_TOLERANCE = 5, 1e-4


class TargetGuess(NamedTuple):
    """The column that is taken for the target, why, and the runner-up."""

    name: str
    reason: str
    other: str = ""


class TableProposal(NamedTuple):
    """A table, what its columns hold, and the settings that are proposed for it."""

    settled: SettledTable
    columns: list[ColumnProfile]
    choices: list[Choice]
    findings: list[str]


def propose_table(path: Path, target: str | None) -> TableProposal:
    """Return what is proposed for a table in a file.

    Args:
        path: the file.
        target: its target column; None to guess it.

    Raises:
        DataError: the file holds no table, the target is not there, or nothing can be learnt from it.
    """
    settled, columns, guess = _read(path, target)
    known = settled.frame[settled.frame[guess.name].notna()].reset_index(drop=True)
    task = choose_task(known[guess.name], next(each for each in columns if each.name == guess.name))
    choices = [task, Choice("problem.target", *guess[:2], other=guess.other)]
    if task.value == "binary":
        choices.append(choose_positive(known[guess.name].to_numpy(), "rows"))
    choices += _transform(known[guess.name], task.value)
    inputs = known.drop(columns=guess.name)
    dropped = _dropped(inputs, known[guess.name], task.value, columns, settled, guess.name)
    if not any(name not in dropped and known[name].nunique() > 1 for name in inputs):
        reasons = "; ".join(f"'{name}': {reason}" for name, reason in dropped.items())
        raise DataError(
            f"no column is left from which '{guess.name}' could be learnt: {reasons or 'all are constant'}"
        )
    leaks = [name for name, reason in dropped.items() if LEAK in reason]
    if dropped:
        reasons = "; ".join(f"'{name}': {reason}" for name, reason in dropped.items())
        other = f"keep {', '.join(leaks)} and say allow_leak: true" if leaks else ""
        choices.append(Choice("problem.drop", list(dropped), reasons, other))
    choices += [*settled.choices, *_missing_words(settled), *_of_the_number(known[guess.name], task.value)]
    findings: list[str] = []
    if n_empty := len(settled.frame) - len(known):
        findings.append(
            f"{n_empty} of {len(settled.frame)} rows have no {guess.name}: nothing can be learnt of it there"
        )
    if task.value == "regression":
        findings += _far_targets(known[guess.name])
    findings += [
        f"column '{name}': {dropped[name]}; it is left out. If it is known before {guess.name} is, take it from "
        "problem.drop and say problem.allow_leak: true"
        for name in leaks
    ]
    findings += [*settled.said, *(note.rstrip(".") for note in settled.notes)]
    findings += [f"column '{each.name}': {each.note}" for each in columns if each.note]
    findings += _totals(settled.frame, columns) + _of_the_rows(settled.frame, known)
    return TableProposal(settled, columns, choices, findings)


def _read(path: Path, target: str | None) -> tuple[SettledTable, list[ColumnProfile], TargetGuess]:
    """Return a table, what its columns hold, and its target, whose class names are read as they stand."""
    settled = settle_reading(path, (target,) if target else ())
    names = [str(name) for name in settled.frame]
    if target is not None and target not in names:
        raise DataError(f"{path} has no column '{target}'{nearest(target, names)}")
    columns = profile_columns(settled.frame, settled.reading)
    guess = TargetGuess(target, "as the command says") if target else guess_target(columns)
    other = settle_reading(path, (guess.name,)) if target is None else settled
    if target is not None and _has_many_texts(target, settled):
        settled = settle_reading(path)
    settled = settled if _are_numbers(guess.name, settled, other) else other
    columns = profile_columns(settled.frame, settled.reading)
    if guess.name in settled.unreadable:
        note = next(each.note for each in columns if each.name == guess.name)
        raise DataError(f"the target '{guess.name}' cannot be read: {note or 'mixed cells'}")
    return settled, columns, guess


def _has_many_texts(target: str, of_names: SettledTable) -> bool:
    is_text = of_names.reading.columns[target].kind == "category"
    return is_text and of_names.frame[target].nunique() > FEW_NUMBERS


def _are_numbers(target: str, of_any: SettledTable, of_names: SettledTable) -> bool:
    """Return whether the texts of a target are numbers as a table shows them, such as $211,719, and no class names."""
    if target in of_any.unreadable or not _has_many_texts(target, of_names):
        return False
    return of_any.reading.columns[target].kind == "number"


def _of_the_number(target: pd.Series, task: Task) -> list[Choice]:
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


def guess_target(columns: list[ColumnProfile]) -> TargetGuess:
    """Return the column that is likeliest to be the target: by its name, else the last one that can be learnt."""
    can = [each for each in columns if each.role == "input"]
    if len(can) < 1 or len(columns) < 2:
        raise DataError("the table has no column that could be learnt from others; it needs two at least")
    last = can[-1].name
    # A column of yes and no words beside others is rarely anything else; 0 and 1 often are.
    words = [each.name for each in can if each.kind == "boolean" and not set(each.examples) <= {"0", "1"}]
    others = [each.name for each in reversed(can)]
    for word in TARGET_NAMES:
        named = [name for name in others if name.strip().casefold() == word]
        if word == "y" and any(each.name.strip().casefold() == "x" for each in columns):
            continue  # a place on a map
        if named:
            return TargetGuess(named[0], "by its name", next((n for n in others if n != named[0]), ""))
    if len(words) == 1 and words[0] != last:
        return TargetGuess(words[0], "the only column of yes and no", last)
    return TargetGuess(last, "the last column that can be learnt", next(iter(others[1:]), ""))


def choose_task(target: pd.Series, profile: ColumnProfile) -> Choice:
    """Return the task for a target's values."""
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
    if n > MAX_CLASSES:
        raise DataError(
            f"the target '{profile.name}' has {n} different texts, too many for classes; name another: --target COLUMN"
        )
    reason = f"'{profile.name}' has {n} " + ("whole numbers" if whole else "names")
    return Choice("problem.task", "multiclass", reason, "regression" if whole else "")


def _transform(target: pd.Series, task: Task) -> list[Choice]:
    """Propose the logarithm of a target with a long tail as the runner-up: it changes what is minimized."""
    if task != "regression" or target.min() < 0:
        return []
    values = target.to_numpy(dtype=np.float64)
    spread = values.std()
    skew = float((((values - values.mean()) / spread) ** 3).mean()) if spread else 0.0
    if skew < LONG_TAIL:
        return []
    reason = f"its tail is long (skewness {skew:.0f}); log1p learns relative errors instead of absolute ones"
    return [Choice("problem.target_transform", "none", reason, "log1p")]


def _far_targets(target: pd.Series) -> list[str]:
    values = target.to_numpy(dtype=np.float64)
    far = values[far_from_others(values)]
    if not len(far):
        return []
    return [
        f"{len(far)} of {len(values)} values of {target.name} lie absurdly far from all others, such as {far[0]:g}: "
        "they count by their size alone (finetuning.loss: huber); correct or leave out their rows if they are mistakes"
    ]


def _missing_words(settled: SettledTable) -> list[Choice]:
    """Return cells that may mean that there is no value, as a suggestion: that nobody knows but the user."""
    words: list[str] = list(settled.reading.settings.missing or ())
    reasons: list[str] = []
    for name, column in settled.reading.columns.items():
        if column.doubtful:
            stand = "stand" if len(column.doubtful) > 1 else "stands"
            where = "far from all other values, and often" if column.kind == "number" else "among its words"
            reasons.append(f"column '{name}': {', '.join(column.doubtful)} {stand} {where}")
        words += [word for word in column.doubtful if word not in words]
    if not reasons:
        return []
    reason = f"{'; '.join(reasons)}. If that means no value:"
    return [Choice("problem.reading.missing", words, reason, is_suggestion=True)]


def _dropped(
    inputs: pd.DataFrame,
    target: pd.Series,
    task: Task,
    columns: list[ColumnProfile],
    settled: SettledTable,
    target_name: str,
) -> dict[str, str]:
    """Return the columns that are no inputs, each with its reason."""
    found = dict.fromkeys(settled.unreadable, "its cells are of several kinds")
    for each in columns:
        if each.name != target_name and each.role == "identifier":
            found[each.name] = each.note
    left = [name for name in inputs if name not in found and inputs[name].nunique() > 1]
    for leak in find_leaks(inputs[left], target.to_numpy(), task):
        found[leak.column] = (
            f"{LEAK} {target_name} ({leak.reason}: {leak.score:.3f}), as if it were known only afterwards"
        )
    return {name: reason for name, reason in found.items() if name in inputs}


def _rare_classes(target: pd.Series) -> list[str]:
    counts = Counter(class_text(value) for value in target.tolist())
    return sorted(name for name, count in counts.items() if count < MIN_CLASS_ROWS)


def _totals(frame: pd.DataFrame, columns: list[ColumnProfile]) -> list[str]:
    """Say that the first or the last row holds the sums of the others, whatever it is called."""
    numbers = frame[[each.name for each in columns if each.kind == "number"]].to_numpy(dtype=np.float64)
    for place, others in ((0, numbers[1:]), (-1, numbers[:-1])):
        sums = np.nansum(others, axis=0)
        enough = (np.nan_to_num(others) != 0).sum(axis=0) >= MIN_SUMMANDS
        # Small whole numbers of both signs sum up to any of them by chance.
        largest = np.abs(np.nan_to_num(others)).max(axis=0, initial=0.0)
        is_sum = np.isclose(numbers[place], sums, rtol=SUM_TOLERANCE, atol=0.0)
        found = enough & is_sum & (np.abs(sums) > largest)
        if found.any():
            names = [each.name for each in columns if each.kind == "number"]
            summed = ", ".join(name for name, here in zip(names, found, strict=True) if here)
            return [
                f"the {'first' if place == 0 else 'last'} row holds the sums of all others ({summed}), and would be "
                "learnt from like them: take it out of the file if it is a total"
            ]
    return []


def _of_the_rows(frame: pd.DataFrame, known: pd.DataFrame) -> list[str]:
    found: list[str] = []
    doubles = int(frame.astype(str).duplicated().sum())
    if doubles:
        found.append(f"{doubles} of {len(frame)} rows repeat an earlier one in every cell")
    if len(known) < FEW_ROWS:
        few = "very few" if len(known) < VERY_FEW_ROWS else "few"
        found.append(
            f"{len(known)} rows are {few}: a test set of a fifth of them says little; split.folds: {FOLDS} measures on "
            "every row once"
        )
    return found
