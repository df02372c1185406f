"""The search space: which parameters a sweep varies, and between which values."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any

from omegaconf import OmegaConf
from pydantic import RootModel, TypeAdapter, ValidationError, model_validator

from layerwise.sweeping.objective import Objective
from layerwise.utils import Config, UserError, describe_value, look_up, nearest

if TYPE_CHECKING:
    from optuna import Trial


class SpaceError(UserError, ValueError):
    """A search space has a wrong name or value."""


class Range(Config):
    """Numbers from `low` to `high`, both included; whole ones where both are.

    Args:
        low: the least.
        high: the greatest.
        log: every factor is as likely as every other, and not every difference.
        step: between neighbors, from `low` on; None for all numbers.
    """

    low: int | float
    high: int | float
    log: bool = False
    step: int | float | None = None

    @model_validator(mode="after")
    def _has_numbers(self) -> Range:
        if not -math.inf < self.low < self.high < math.inf:
            raise ValueError(f"low has to be less than high, both finite (given: {self.low} and {self.high})")
        if self.log and (self.low <= 0 or self.step is not None):
            raise ValueError("log takes a low above 0, and no step")
        if self.step is not None and not 0 < self.step <= self.high - self.low:
            raise ValueError(f"step has to be above 0 and at most high - low (given: {self.step})")
        if self._is_whole and self.step is not None and self.step != int(self.step):
            raise ValueError(f"step has to be whole, as both ends are (given: {self.step})")
        return self

    @property
    def _is_whole(self) -> bool:
        return isinstance(self.low, int) and isinstance(self.high, int)

    @property
    def ends(self) -> tuple[Any, ...]:
        """Values that have to be allowed."""
        return self.low, self.high

    def suggest(self, trial: Trial, name: str) -> Any:
        """Return the trial's value."""
        if isinstance(self.low, int) and isinstance(self.high, int):
            return trial.suggest_int(name, self.low, self.high, step=int(self.step or 1), log=self.log)
        return trial.suggest_float(name, self.low, self.high, step=self.step, log=self.log)

    def stored(self, value: Any) -> Any:
        """Return a setting as the study keeps it; None where it is outside."""
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not is_number or not self.low <= value <= self.high:
            return None
        step = self.step or (1 if self._is_whole else None)
        steps = (value - self.low) / step if step else 0.0
        return value if math.isclose(steps, round(steps), abs_tol=1e-8) else None

    def setting(self, stored: Any) -> Any:
        """Return what the study keeps as the setting that it is."""
        return stored


class Choices(RootModel[tuple[Any, ...]]):
    """Some values, each as good as any other before it was tried."""

    @model_validator(mode="after")
    def _has_values(self) -> Choices:
        if len(self.root) < 2:
            raise ValueError("a list of choices needs two at least")
        labels = [json.dumps(each) for each in self.root]
        if repeated := next((each for each in labels if labels.count(each) > 1), None):
            raise ValueError(f"a choice may stand there once (given twice: {repeated})")
        return self

    @property
    def ends(self) -> tuple[Any, ...]:
        """Values that have to be allowed."""
        return self.root

    def _labels(self) -> list[Any]:
        # A study keeps numbers and words; a list is kept as its text.
        return [json.dumps(each) if isinstance(each, (list, dict)) else each for each in self.root]

    def suggest(self, trial: Trial, name: str) -> Any:
        """Return the trial's value."""
        return self.setting(trial.suggest_categorical(name, self._labels()))

    def stored(self, value: Any) -> Any:
        """Return a setting as the study keeps it; None where it is none of the choices."""
        return self._labels()[self.root.index(value)] if value in self.root else None

    def setting(self, stored: Any) -> Any:
        """Return what the study keeps as the setting that it is."""
        return self.root[self._labels().index(stored)]


class Space(RootModel[dict[str, Range | Choices]]):
    """Parameters by their dotted names, each with a range or a list of choices.

    In YAML, `finetuning.learning_rate: {low: 0.0001, high: 0.1, log: true}` and `mlp.activation: [relu, silu]`.
    """

    def __iter__(self) -> Iterator[str]:  # type: ignore[override]
        return iter(self.root)

    def suggest(self, trial: Trial) -> dict[str, Any]:
        """Return the trial's values by dotted name."""
        return {name: domain.suggest(trial, name) for name, domain in self.root.items()}

    def settings(self, stored: Mapping[str, Any]) -> dict[str, Any]:
        """Return the settings by dotted name that a study keeps as a trial's parameters."""
        return {name: self.root[name].setting(value) for name, value in stored.items() if name in self.root}

    def stored(self, parameters: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the present settings as a study keeps them; None where one is outside, or left to the rows.

        Args:
            parameters: nested, as configured.
        """
        found = {}
        for name, domain in self.root.items():
            value = look_up(parameters, name)
            found[name] = None if value is None else domain.stored(value)
        return None if None in found.values() else found

    @classmethod
    def checked(cls, given: Any, where: str, objective: Objective, read: Collection[str]) -> Space:
        """Return the space that a file gives.

        Args:
            given: what stands below the pipeline's name.
            where: the file and the pipeline, for messages.
            objective: whose fixed parameters may not be in it.
            read: the parameters' top-level keys that the trials read.

        Raises:
            SpaceError: one message that lists every wrong name and value.
        """
        if not isinstance(given, Mapping) or not given:
            raise SpaceError(
                f"{where}: a search space is names with ranges or lists, such as "
                "`finetuning.learning_rate: {low: 0.001, high: 0.1, log: true}`"
            )
        wrong, found = [], {}
        for name, domain in given.items():
            try:
                kind = _type_of(str(name), objective, read)
                found[str(name)] = _domain(domain)
                for value in found[str(name)].ends:
                    TypeAdapter(kind).validate_python(value)
            except ValidationError as error:
                wrong.append(f"{name}: {describe_value(error.errors()[0])}")
            except ValueError as error:
                wrong.append(f"{name}: {error}")
        if wrong:
            raise SpaceError(f"{where}: {'; '.join(wrong)}")
        return cls(found)


def _domain(given: Any) -> Range | Choices:
    if isinstance(given, list):
        return Choices(tuple(given))
    if isinstance(given, Mapping):
        return Range.model_validate(dict(given))
    raise ValueError(f"takes {{low: ..., high: ...}} or a list of choices (given: {given!r})")


def _type_of(name: str, objective: Objective, read: Collection[str]) -> Any:
    """Return the type of a parameter.

    Raises:
        ValueError: there is no such parameter, nothing reads it, or it has to stay as it is.
    """
    # Imported here: the models of all parameters import torch.
    from layerwise.parameters import PARAMETERS, is_model

    if objective.is_fixed(name):
        raise ValueError(f"it changes what {objective.metric} means, so that trials could not be compared")
    first, *rest = name.split(".")
    if first not in PARAMETERS:
        raise ValueError(f"unknown parameter{nearest(first, list(PARAMETERS))}")
    if first not in read:
        raise ValueError(f"the trials do not read it; they read {', '.join(sorted(read))}")
    kind, path = PARAMETERS[first], first
    for part in rest:
        fields = kind.model_fields if is_model(kind) else {}
        if part not in fields:
            known = nearest(f"{path}.{part}", [f"{path}.{field}" for field in fields]) if fields else ""
            raise ValueError(f"unknown parameter{known}")
        kind, path = Annotated[fields[part].annotation, fields[part]], f"{path}.{part}"
        if is_model(fields[part].annotation):
            kind = fields[part].annotation
    if is_model(kind):
        raise ValueError(
            f"is a group of parameters; name one, such as {path}.{next(iter(kind.model_fields))}"
        )
    return kind


def merged(params: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return nested parameters with some values by dotted name in place of their own."""
    both = OmegaConf.create(dict(params))
    for name, value in values.items():
        OmegaConf.update(both, name, value)
    found: Any = OmegaConf.to_container(both)
    return dict(found)


def shown(values: Mapping[str, Any]) -> str:
    """Return values by dotted name as one line."""
    return "  ".join(
        f"{name}={value:.4g}" if isinstance(value, float) else f"{name}={value}"
        for name, value in values.items()
    )
