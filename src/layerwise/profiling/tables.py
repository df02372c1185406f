"""A table's proposal: its task and target, the positive class, the columns that are no inputs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from layerwise.data import DataError, Task
from layerwise.data.preprocessing import find_leaks
from layerwise.profiling.columns import ColumnProfile, profile_columns
from layerwise.profiling.linked import classes_in_columns, find_totals, propose_groups
from layerwise.profiling.proposal import Choice, choose_positive
from layerwise.profiling.reading import SettledTable, settle_again, settle_reading
from layerwise.profiling.targets import (
    AS_NAMED,
    FEW_NUMBERS,
    FEW_ROWS,
    FOLDS,
    TargetGuess,
    choose_task,
    describe_target,
    guess_target,
    propose_by_number,
    propose_transform,
)
from layerwise.utils import nearest

if TYPE_CHECKING:
    import pandas as pd

LEAK = "it alone decides"
VERY_FEW_ROWS = 100


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
    beside = classes_in_columns(settled.frame, guess.name)
    targets = beside if beside and target is None else [guess.name]
    known = settled.frame[settled.frame[targets].notna().all(axis=1)].reset_index(drop=True)
    choices = _task_and_target(known, columns, guess, targets)
    task: Task = choices[0].value
    inputs = known.drop(columns=targets)
    dropped = _dropped(inputs, known[targets], task, columns, settled)
    if target is not None:
        others = ", ".join(name for name in beside if name != target)
        dropped |= {
            name: f"{others} and {target} are one category: one of them is 1 in each row, so that they decide it"
            for name in beside
            if name != target
        }
    kept = _kept_as_the_last(known, inputs.columns, dropped, guess.name)
    dropped = {name: reason for name, reason in dropped.items() if name not in kept}
    if kept:
        choices.append(Choice("problem.allow_leak", True, "no other column is left to learn from"))
    leaks = [name for name, reason in dropped.items() if LEAK in reason]
    if dropped:
        reasons = "; ".join(f"'{name}': {reason}" for name, reason in dropped.items())
        other = f"keep {', '.join(leaks)} and say allow_leak: true" if leaks else ""
        choices.append(Choice("problem.drop", list(dropped), reasons, other))
    choices += [*settled.choices, *_suggested_reading(settled, columns, [*targets, *dropped])]
    choices += [*propose_by_number(known[guess.name], task), *propose_groups(known, columns, targets)]
    findings = describe_target(settled.frame, known[guess.name], task)
    findings += [
        f"column '{name}': {dropped[name]}; it is left out. If it is known before {guess.name} is, take it from "
        "problem.drop and say problem.allow_leak: true"
        for name in leaks
    ]
    findings += [
        f"column '{name}': {reason}; it is kept, as no other is left" for name, reason in kept.items()
    ]
    findings += [*settled.said, *(note.rstrip(".") for note in settled.notes)]
    findings += [f"column '{each.name}': {each.note}" for each in columns if each.note]
    findings += [f"{c.reason} {c.key}: {c.value}" for c in choices if c.key == "split.groups"]
    findings += find_totals(settled.frame, columns) + _of_the_rows(settled.frame, known)
    columns = [replace(each, note=each.note or dropped.get(each.name, "")) for each in columns]
    return TableProposal(settled, columns, choices, findings)


def _kept_as_the_last(
    known: pd.DataFrame, inputs: Iterable[str], dropped: dict[str, str], target: str
) -> dict[str, str]:
    """Return the suspicious columns of numbers, with the reasons, that are inputs as no other column is.

    Raises:
        DataError: there is none either.
    """
    varying = [name for name in inputs if known[name].nunique() > 1]
    if any(name not in dropped for name in varying):
        return {}
    kept = {name: dropped[name] for name in varying if known[name].dtype.kind in "iuf"}
    if not kept:
        reasons = "; ".join(f"'{name}': {reason}" for name, reason in dropped.items())
        raise DataError(
            f"no column is left from which '{target}' could be learnt: {reasons or 'all are constant'}"
        )
    return kept


def _task_and_target(
    known: pd.DataFrame, columns: list[ColumnProfile], guess: TargetGuess, targets: list[str]
) -> list[Choice]:
    """Return the task, the target, and the settings of these."""
    if len(targets) > 1:
        reason = (
            f"one of {len(targets)} columns of 0 and 1 is 1 in each row: they are the classes of one target"
        )
        other = f"{guess.name}, with task: binary and the others in drop"
        task = Choice("problem.task", "multilabel", reason)
        return [task, Choice("problem.target", targets, guess.reason, other=other)]
    target = known[guess.name]
    profile = next(each for each in columns if each.name == guess.name)
    task = choose_task(target, profile, named=guess.reason == AS_NAMED)
    choices = [task, Choice("problem.target", *guess[:2], other=guess.other)]
    if task.value == "binary":
        choices.append(choose_positive(target.to_numpy(), "rows"))
    return choices + propose_transform(target, task.value)


def _read(path: Path, target: str | None) -> tuple[SettledTable, list[ColumnProfile], TargetGuess]:
    """Return a table, what its columns hold, and its target, whose class names are read as they stand."""
    settled = settle_reading(path, (target,) if target else ())
    names = [str(name) for name in settled.frame]
    if target is not None and target not in names:
        raise DataError(f"{path} has no column '{target}'{nearest(target, names)}")
    columns = profile_columns(settled.frame, settled.reading, settled.table.cells)
    guess = TargetGuess(target, AS_NAMED) if target else guess_target(columns)
    other = settle_again(path, settled, guess.name, are_classes=True) if target is None else settled
    first = settled
    if target is not None and _has_many_texts(target, settled):
        settled = settle_again(path, settled, target, are_classes=False)
    settled = settled if _are_numbers(guess.name, settled, other) else other
    columns = _profiled_again(settled, first, columns, guess.name)
    if guess.name in settled.unreadable:
        note = next(each.note for each in columns if each.name == guess.name)
        raise DataError(f"the target '{guess.name}' cannot be read: {note or 'mixed cells'}")
    return settled, columns, guess


def _profiled_again(
    settled: SettledTable, first: SettledTable, columns: list[ColumnProfile], name: str
) -> list[ColumnProfile]:
    """Return what each column holds, of a table of which perhaps one was read anew since it was looked at."""
    if settled is first:
        return columns
    if settled.table is not first.table:
        return profile_columns(settled.frame, settled.reading, settled.table.cells)
    (anew,) = profile_columns(settled.frame[[name]], settled.reading, settled.table.cells)
    return [anew if each.name == name else each for each in columns]


def _has_many_texts(target: str, of_names: SettledTable) -> bool:
    is_text = of_names.reading.columns[target].kind == "category"
    return is_text and of_names.frame[target].nunique() > FEW_NUMBERS


def _are_numbers(target: str, of_any: SettledTable, of_names: SettledTable) -> bool:
    """Return whether the texts of a target are numbers as a table shows them, such as $211,719, and no class names."""
    if target in of_any.unreadable or not _has_many_texts(target, of_names):
        return False
    return of_any.reading.columns[target].kind == "number"


def _suggested_reading(
    settled: SettledTable, columns: list[ColumnProfile], not_inputs: list[str]
) -> list[Choice]:
    """Return how some cells may be meant, as suggestions: that nobody knows but the user."""
    kinds = {
        each.name: each.better_kind for each in columns if each.better_kind and each.name not in not_inputs
    }
    if not kinds:
        return _missing_words(settled)
    reason = f"{', '.join(kinds)}: lists, each combination a value of its own. To have their parts read:"
    stated = {name: str(kind) for name, kind in settled.reading.settings.columns.items()}
    suggested = Choice("problem.reading.columns", stated | kinds, reason, is_suggestion=True)
    return [*_missing_words(settled), suggested]


def _missing_words(settled: SettledTable) -> list[Choice]:
    """Return cells that may mean that there is no value, as a suggestion: that nobody knows but the user."""
    words: list[str] = list(settled.reading.settings.missing or ())
    reasons: list[str] = []
    for name, column in settled.reading.columns.items():
        if column.doubtful:
            stand = "stand" if len(column.doubtful) > 1 else "stands"
            reasons.append(f"column '{name}': {', '.join(column.doubtful)} {stand} among its words")
        words += [word for word in column.doubtful if word not in words]
    if not reasons:
        return []
    reason = f"{'; '.join(reasons)}. If that means no value:"
    return [Choice("problem.reading.missing", words, reason, is_suggestion=True)]


def _dropped(
    inputs: pd.DataFrame,
    targets: pd.DataFrame,
    task: Task,
    columns: list[ColumnProfile],
    settled: SettledTable,
) -> dict[str, str]:
    """Return the columns that are no inputs, each with its reason."""
    found = dict.fromkeys(settled.unreadable, "its cells are of several kinds")
    for each in columns:
        if each.name not in targets and each.role == "identifier":
            found[each.name] = each.note
    left = [name for name in inputs if name not in found and inputs[name].nunique() > 1]
    values = targets.to_numpy() if targets.shape[1] > 1 else targets.iloc[:, 0].to_numpy()
    for leak in find_leaks(inputs[left], values, task):
        found[leak.column] = (
            f"{LEAK} {', '.join(map(str, targets))} ({leak.reason}: {leak.score:.3f}), as if it were known only "
            "afterwards"
        )
    return {name: reason for name, reason in found.items() if name in inputs}


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
