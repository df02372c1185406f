"""Where metrics and tags go while a run is under way.

Training code reports here and knows no tracker. A tracker (the MLflow hook) registers itself as the receiver.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Receiver(Protocol):
    """What a tracker offers."""

    def log_metrics(self, metrics: Mapping[str, float], step: int | None) -> None: ...

    def log_tags(self, tags: Mapping[str, str]) -> None: ...


_receivers: list[Receiver] = []


def add_receiver(receiver: Receiver) -> None:
    """Send everything that is reported from now on to the receiver too."""
    _receivers.append(receiver)


def remove_receiver(receiver: Receiver) -> None:
    """Stop sending to the receiver; unknown ones are ignored."""
    if receiver in _receivers:
        _receivers.remove(receiver)


def report_metrics(metrics: Mapping[str, float], step: int | None = None) -> None:
    """Report named numbers, with the epoch as step."""
    for receiver in _receivers:
        receiver.log_metrics(metrics, step)


def report_tags(tags: Mapping[str, str]) -> None:
    """Report facts about the run, such as the source of its rows."""
    for receiver in _receivers:
        receiver.log_tags(tags)


def flush_reports() -> None:
    """Have every receiver send what it still holds back."""
    for receiver in _receivers:
        flush = getattr(receiver, "flush", None)
        if flush is not None:
            flush()
