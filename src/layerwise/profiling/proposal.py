"""What is proposed for a new problem: settings, each with its reason and the runner-up."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from layerwise.data.preprocessing import class_text, positive_class


class Choice(NamedTuple):
    """One setting of the new problem.

    Args:
        key: its dotted name among the parameters, such as `problem.reading.decimal`.
        value: plain data, as YAML has it.
        reason: why, in a sentence without its full stop.
        other: the runner-up, as it would stand in YAML; empty where there is none.
        is_suggestion: it is written as a comment only, for the user to take in.
    """

    key: str
    value: Any
    reason: str = ""
    other: str = ""
    is_suggestion: bool = False


@dataclass
class Proposal:
    """The settings of a new problem, and what a user should know of its file.

    Args:
        name: of the problem.
        entry: the catalog entry `raw`.
        choices: the parameters, in the order in which they are written.
        findings: what is worth knowing of the file and of its columns, a sentence each.
    """

    name: str
    entry: dict[str, Any] = field(default_factory=dict)
    choices: list[Choice] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)

    def value(self, key: str) -> Any:
        """Return the value of a choice, None where there is none."""
        return next(
            (choice.value for choice in self.choices if choice.key == key and not choice.is_suggestion), None
        )


def choose_positive(labels: np.ndarray, what: str) -> Choice:
    """Return the class of two that counts as 1, with how many rows have it.

    Args:
        labels: (n,) of every row.
        what: the rows are called: rows or images.
    """
    counts = Counter(class_text(value) for value in labels.tolist())
    chosen = positive_class(sorted(counts), labels)
    other = next(each for each in sorted(counts) if each != chosen)
    reason = f"{counts[chosen]} of {len(labels)} {what}; answers, F1 and thresholds are of it"
    return Choice("problem.positive", chosen, reason, other)
