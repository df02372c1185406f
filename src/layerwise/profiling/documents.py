"""The proposal of a folder of .txt files: a table of texts and their classes, or documents whose words are counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from layerwise.data import DataError, Task
from layerwise.data.sources import (
    LABEL,
    PART_FOLDERS,
    TEXT,
    CountSettings,
    LabelledTextFolder,
    fit_vocabulary,
    read_labelled_texts,
)
from layerwise.profiling.proposal import Choice, choose_positive
from layerwise.profiling.targets import propose_by_number

MOST_NAMED = 20
NO_TARGET = "none"


def propose_texts(path: Path, target: str | None) -> tuple[dict[str, Any], list[Choice], list[str]]:
    """Return the fields of the catalog entry of a folder of texts, the settings and what was found.

    Texts in folders of classes are a table of the text and its class, as scikit-learn's `load_files` reads them; others
    are documents, in which topics are found.

    Args:
        path: the folder.
        target: `label` for the table, `none` for topics, None for the likelier one.

    Raises:
        DataError: the folder holds neither pictures nor .txt files, no word stands in two of them, or there is no such
            target.
    """
    if target not in (None, NO_TARGET, LABEL):
        raise DataError(
            f"--target of a folder of texts is {LABEL}, the folder of its class, or {NO_TARGET}, for topics"
        )
    try:
        found = read_labelled_texts(path)
    except DataError:
        raise DataError(f"{path} holds neither pictures nor .txt files") from None
    counts = Counter(found.labels)
    are_classes = len(counts) > 1 and "" not in counts and min(counts.values()) > 1
    if target == LABEL and not are_classes:
        raise DataError(
            f"the texts in {path} lie in no folders of classes: two at least, with two texts each, and none beside them"
        )
    if are_classes and target != NO_TARGET:
        return _propose_labelled(path, found)
    return _propose_topics(path, found, are_classes)


def _propose_labelled(
    path: Path, found: LabelledTextFolder
) -> tuple[dict[str, Any], list[Choice], list[str]]:
    import pandas as pd

    labels = pd.Series(found.labels, name=LABEL)
    counts = labels.value_counts().sort_index()
    task: Task = "binary" if len(counts) == 2 else "multiclass"
    shown = ", ".join(f"{name} ({n:,})" for name, n in counts.iloc[:MOST_NAMED].items())
    more = f" and {len(counts) - MOST_NAMED} more" if len(counts) > MOST_NAMED else ""
    topics = f"--target {NO_TARGET} finds topics among the texts without their folders"
    choices = [
        Choice(
            "problem.task", task, f"the texts lie in {len(counts)} folders, which are their classes; {topics}"
        ),
        Choice("problem.target", LABEL, "the folder of a text"),
    ]
    if task == "binary":
        choices.append(choose_positive(labels.to_numpy(), "texts"))
    reason = "words of a text, of which skrub's StringEncoder makes numbers (preprocessing.texts)"
    choices.append(Choice("problem.reading.columns", {TEXT: "text"}, reason))
    choices += propose_by_number(labels, task)
    findings = [
        f"{len(labels):,} texts of {_mean_length(found.texts):,.0f} characters on average in {len(counts)} folders",
        f"its classes are {shown}{more}",
        topics,
    ]
    if found.n_test:
        findings.append(f"{found.n_test:,} texts below test/ are the official test rows")
    elif any(name.split("/")[0].lower() in PART_FOLDERS for name in found.names):
        findings.append(
            "the texts of its parts, such as train and validation, are rows alike, and are split anew"
        )
    if empty := sum(not text.strip() for text in found.texts):
        findings.append(f"{empty} text(s) are empty")
    return {"type": "layerwise.datasets.LabelledTexts"}, choices, findings + _beside_texts(path)


def _propose_topics(
    path: Path, found: LabelledTextFolder, are_classes: bool
) -> tuple[dict[str, Any], list[Choice], list[str]]:
    words = fit_vocabulary(found.texts, CountSettings())
    findings = [
        f"{len(found.names):,} documents of {_mean_length(found.texts):,.0f} characters on average",
        f"{len(words):,} words stand in two documents or more, or are the {len(words):,} most frequent of these",
        *_beside_texts(path),
    ]
    if are_classes:
        findings.append(f"their folders are left out; --target {LABEL} learns the folder of a text")
    reason = "a folder of .txt files: an RBM finds topics among counts of words"
    counting = {"min_df": 2, "max_features": 2000, "stop_words": None}
    return (
        {"type": "layerwise.datasets.SourceTexts", "counting": counting},
        [Choice("problem.task", "documents", reason)],
        findings,
    )


def _mean_length(texts: Sequence[str]) -> float:
    return sum(map(len, texts)) / len(texts)


def _beside_texts(folder: Path) -> list[str]:
    """Say which other files the folder holds."""
    others = Counter(
        each.suffix or each.name
        for each in folder.rglob("*")
        if each.is_file() and each.suffix != ".txt" and not each.name.startswith(".")
    )
    if not others:
        return []
    shown = ", ".join(sorted(others)[:5])
    return [f"{others.total():,} file(s) of other kinds ({shown}) are left out: the texts end with .txt"]
