"""What `kedro compare` compares, and for how long."""

from __future__ import annotations

from typing import Literal, get_args

from pydantic import field_validator

from layerwise.utils import Config, setting

Candidate = Literal["linear", "forest", "boosting", "mlp", "dbn", "sae"]


class CompareSettings(Config):
    """Which pipelines are cross-validated on the same folds (`split.folds`, 5 unless set), and for how long."""

    models: tuple[Candidate, ...] = setting(
        get_args(Candidate),
        "the pipelines, the first one first in each fold",
        "fewer for large sets",
    )
    max_minutes: float | None = setting(
        None, "no training begins that would likely end after so many minutes; null: all are done", "", gt=0
    )

    on_card: bool = setting(
        False,
        "the model card shows the folds of the last comparison",
        "as kedro compare does for the best model",
    )

    @field_validator("models")
    @classmethod
    def _are_two(cls, value: tuple[Candidate, ...]) -> tuple[Candidate, ...]:
        if len(set(value)) < len(value) or len(value) < 2:
            raise ValueError("a comparison is of two models at least, each named once")
        return value
