"""What is proposed for a new problem: settings, each with its reason and the runner-up."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from layerwise.data.preprocessing import class_text, positive_class

# Names of what is looked for, each with its counterparts: beside these it is the positive class even where it is as
# frequent or more so, as in a study with one control for each case. Pairs whose positive class differs from table to
# table are left to the rarer one: survived and died, passed and failed, good and bad, accepted and rejected.
POSITIVE_BESIDE: dict[str, tuple[str, ...]] = {
    "case": ("control",), "cases": ("controls",), "pos": ("neg",), "positive": ("negative",),
    "present": ("absent",), "ill": ("healthy", "well"), "krank": ("gesund",),
    "diseased": ("healthy", "normal"), "disease": ("healthy", "normal"), "infected": ("healthy", "uninfected"),
    "malignant": ("benign",), "cancer": ("healthy", "normal", "benign"), "tumor": ("healthy", "normal"),
    "dead": ("alive", "living"), "deceased": ("alive", "living"),
    "abnormal": ("normal",), "anomaly": ("normal",), "anomalous": ("normal",), "attack": ("normal", "benign"),
    "malware": ("benign", "goodware"), "malicious": ("benign", "legitimate"), "spam": ("ham",),
    "phishing": ("legitimate", "legit"), "fraud": ("legitimate", "legit", "genuine", "normal", "ok"),
    "fraudulent": ("legitimate", "legit", "genuine", "normal"), "fake": ("real", "genuine"),
    "default": ("paid", "repaid", "fully paid"), "defaulted": ("paid", "repaid", "fully paid"),
    "charged off": ("paid", "fully paid"), "churned": ("stayed", "retained", "active", "existing"),
    "churn": ("stay", "retained", "active"), "left": ("stayed",), "poisonous": ("edible",),
    "faulty": ("ok", "good", "fine", "normal"), "defective": ("ok", "good", "fine", "normal"),
    "defect": ("ok", "good", "fine", "normal"), "broken": ("ok", "good", "fine", "intact"),
    "oui": ("non",), "si": ("no",), "sí": ("no",), "sim": ("não", "nao"), "tak": ("nie",),
    "wahr": ("falsch",), "vrai": ("faux",), "verdadero": ("falso",), "vero": ("falso",),
}  # fmt: skip
# Fraud beside not fraud, no fraud, non-fraud: as yes beside no.
NEGATION_MARK, NEGATED = (
    re.compile(r"[\s_-]+"),
    re.compile(r"^(?:not|no|non|kein|keine|nicht) |^non(?=\w{3})"),
)


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
    """Return the class of two that counts as 1, with the reason and how many rows have it.

    Args:
        labels: (n,) of every row.
        what: the rows are called: rows or images.
    """
    counts = Counter(class_text(value) for value in labels.tolist())
    classes = sorted(counts)
    chosen = _named_positive(classes)
    why = "by its name, "
    if chosen is None:
        chosen, why = positive_class(classes, labels), ""
    other = next(each for each in classes if each != chosen)
    reason = f"{why}{counts[chosen]} of {len(labels)} {what}; answers, F1 and thresholds are of it"
    return Choice("problem.positive", chosen, reason, other)


def _named_positive(classes: list[str]) -> str | None:
    """Return which of two classes is looked for, as their names beside each other say; None where they do not."""
    names = {" ".join(NEGATION_MARK.split(each.strip().casefold())): each for each in classes}
    for name in names:
        (rest,) = names.keys() - {name} or {""}
        if rest in POSITIVE_BESIDE.get(name, ()) or NEGATED.sub("", rest, count=1) == name != rest:
            return names[name]
    return None
