"""Documents' proposal: a folder of .txt files, whose words are counted."""

from __future__ import annotations

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
    choices = [
        Choice(
            "problem.task", "documents", "a folder of .txt files: an RBM finds topics among counts of words"
        )
    ]
    counting = {"min_df": 2, "max_features": 2000, "stop_words": None}
    return {"type": "layerwise.datasets.SourceTexts", "counting": counting}, choices, findings
