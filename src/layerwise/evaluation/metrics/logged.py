"""Metrics as data: rows of a name, a value and a step, as the tracking server keeps them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic import ConfigDict, Field, RootModel, model_validator

from layerwise.utils import Config


class LoggedMetric(Config):
    """One number under its MLflow name; `step` is the epoch, None for what is measured once."""

    name: str
    value: float
    step: int | None = None


class LoggedMetrics(RootModel[tuple[LoggedMetric, ...]]):
    """What a node measured. Whoever tracks the run logs it when it is saved.

    Raises:
        ValueError: a name has two values at one step.

    Examples:
        >>> found = LoggedMetrics.of({"accuracy": 0.9, "error": 0.1}, prefix="test/")
        >>> found["test/accuracy"], len(found)
        (0.9, 2)
    """

    model_config = ConfigDict(frozen=True)

    @model_validator(mode="after")
    def _one_value_a_step(self) -> LoggedMetrics:
        keys = [(row.name, row.step) for row in self.root]
        if len(set(keys)) < len(keys):
            name, step = next(key for k, key in enumerate(keys) if key in keys[:k])
            raise ValueError(
                f"the metric '{name}' has two values{'' if step is None else f' at step {step}'}"
            )
        return self

    @classmethod
    def of(cls, values: Mapping[str, float], *, prefix: str = "", step: int | None = None) -> LoggedMetrics:
        """Return the rows of named numbers, each name after the prefix."""
        return cls(
            tuple(LoggedMetric(name=prefix + name, value=value, step=step) for name, value in values.items())
        )

    @property
    def names(self) -> tuple[str, ...]:
        """The names in their order, each once."""
        return tuple(dict.fromkeys(row.name for row in self.root))

    def by_step(self) -> dict[int | None, dict[str, float]]:
        """Return the values by name for each step, the steps in the order in which they come."""
        found: dict[int | None, dict[str, float]] = {}
        for row in self.root:
            found.setdefault(row.step, {})[row.name] = row.value
        return found

    def __add__(self, other: LoggedMetrics) -> LoggedMetrics:
        return LoggedMetrics(self.root + other.root)

    def __getitem__(self, name: str) -> float:
        """Return the last value of a name."""
        for row in reversed(self.root):
            if row.name == name:
                return row.value
        raise KeyError(name)

    def __iter__(self) -> Iterator[LoggedMetric]:  # type: ignore[override]
        return iter(self.root)

    def __len__(self) -> int:
        return len(self.root)


class ChildRun(Config):
    """What becomes a run of its own below the run that it was measured in.

    An object with a property `child_runs` has them logged when it is saved.

    Args:
        name: of the run, one of its kind below its parent.
        parameters: that are its own.
        metrics: its curves, by epoch, and what was measured once.
        seconds: that it took.
    """

    name: str
    parameters: dict[str, str] = Field(default_factory=dict)
    metrics: LoggedMetrics = LoggedMetrics(())
    seconds: float = 0.0


def metric_name(text: str) -> str:
    """Return a text as a part of a metric's name that MLflow accepts."""
    return text.replace(":", "").replace(" ", "_")
