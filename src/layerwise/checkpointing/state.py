"""What changes while the loop trains: how far it is, and what holds a state that a checkpoint keeps."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from torch import Tensor


@dataclass
class Progress:
    """How far training has come; callbacks read it and may set `stop`.

    `best_epoch` is the one whose weights training ended with, where these are not the last ones; else 0.
    """

    name: str
    plan: Stateful
    epochs: int
    n_batches: int
    epoch: int = 0
    batch: int = 0
    seconds: float = 0.0
    stop: str = ""
    best_epoch: int = 0
    history: list[dict[str, float]] = field(default_factory=list)


class Stateful(Protocol):
    """What holds something that training changes: a training plan, a callback, a transform."""

    def state_dict(self) -> dict[str, Tensor]: ...

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None: ...


def history_to_json(history: Sequence[Mapping[str, float]]) -> list[dict[str, float | str]]:
    """Return epochs as JSON can hold them: a value that is not finite becomes its name."""
    return [
        {name: value if math.isfinite(value) else str(value) for name, value in epoch.items()}
        for epoch in history
    ]


def history_from_json(history: Sequence[Mapping[str, float | str]]) -> list[dict[str, float]]:
    """Return what `history_to_json` was given."""
    return [{name: float(value) for name, value in epoch.items()} for epoch in history]
