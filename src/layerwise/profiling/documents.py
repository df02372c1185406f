"""Documents' proposal: a folder of .txt files, whose words are counted."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from layerwise.data import DataError
from layerwise.data.sources import CountSettings, fit_vocabulary, read_text_folder
from layerwise.profiling.proposal import Choice


def propose_documents(path: Path) -> tuple[dict[str, Any], list[Choice], list[str]]:
    """Return the fields of a `SourceTexts` entry, the settings and what was found.

    Raises:
        DataError: the folder holds neither pictures nor .txt files, or no word stands in two of them.
    """
    try:
        names, texts, _ = read_text_folder(path)
    except DataError:
        raise DataError(f"{path} holds neither pictures nor .txt files") from None
    words = fit_vocabulary(texts, CountSettings())
    findings = [
        f"{len(names):,} documents of {sum(map(len, texts)) / len(texts):,.0f} characters on average",
        f"{len(words):,} words stand in two documents or more, or are the {len(words):,} most frequent of these",
    ]
    findings += _beside_texts(path, names)
    choices = [
        Choice(
            "problem.task", "documents", "a folder of .txt files: an RBM finds topics among counts of words"
        )
    ]
    counting = {"min_df": 2, "max_features": 2000, "stop_words": None}
    return {"type": "layerwise.datasets.SourceTexts", "counting": counting}, choices, findings


def _beside_texts(folder: Path, names: list[str]) -> list[str]:
    """Say what the folder holds beside the texts' words: other files, and folders that may be classes."""
    found = []
    others = Counter(
        each.suffix or each.name
        for each in folder.rglob("*")
        if each.is_file() and each.suffix != ".txt" and not each.name.startswith(".")
    )
    if others:
        shown = ", ".join(sorted(others)[:5])
        found.append(
            f"{others.total():,} file(s) of other kinds ({shown}) are left out: the texts end with .txt"
        )
    classes = Counter(Path(name).parent.name for name in names)
    if len(classes) > 1 and min(classes.values()) > 1:
        shown = ", ".join(sorted(classes)[:5])
        found.append(
            f"their folders ({shown}) are no classes here: topics are found without labels. To learn the folder of a "
            "text, make a table of two columns of them: pandas.DataFrame([(p.read_text(), p.parent.name) for p in "
            "pathlib.Path(FOLDER).rglob('*.txt')], columns=['text', 'label']).to_parquet('texts.parquet')"
        )
    return found
