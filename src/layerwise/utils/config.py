"""The base of every parameter model: frozen, closed, and helpful about a misspelt name."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, Self, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.fields import FieldInfo

T = TypeVar("T")
if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    ByRule = Annotated[T, "null until the rows are known"]
else:

    class ByRule:
        """The type of a setting that may be null until `Config.filled` has its value, which the rows decide."""

        def __class_getitem__(cls, kind: Any) -> Any:
            return kind | None


def nearest(name: str, known: list[str]) -> str:
    """Return `; did you mean 'x'?` for the nearest known name, or the list of known names."""
    close = get_close_matches(name, known, n=1, cutoff=0.6)
    return f"; did you mean '{close[0]}'?" if close else f"; known: {', '.join(sorted(known))}"


def describe_value(error: "ErrorDetails") -> str:
    """Return what pydantic says is wrong with a value, and the value where it is not a whole group of them."""
    given = "" if isinstance(error["input"], dict) else f" (given: {error['input']!r})"
    return f"{error['msg'].removeprefix('Value error, ')}{given}"


class Config(BaseModel):
    """A frozen parameter model that refuses unknown names and suggests the nearest right one."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    @model_validator(mode="before")
    @classmethod
    def _suggest_names(cls, values: Any) -> Any:
        if values is None:  # a key with nothing under it, as `finetuning:` in YAML
            return {}
        if isinstance(values, dict):
            known = [field.alias or name for name, field in cls.model_fields.items()]
            wrong = [str(name) for name in values if name not in known]
            if wrong:
                raise ValueError(" and ".join(f"unknown parameter '{w}'{nearest(w, known)}" for w in wrong))
            fields = {field.alias or name: field for name, field in cls.model_fields.items()}
            for name, value in values.items():
                check_number(value, fields[name].annotation, f"{name}: ")
        return values

    @model_validator(mode="after")
    def _everything_has_a_use(self) -> Self:
        wrong = self._without_use()
        if wrong:
            raise ValueError("; ".join(wrong))
        return self

    def _without_use(self) -> list[str]:
        """Return a sentence for each setting that the others leave without a use; none unless a model has its own."""
        return []

    def changed(self, name: str) -> bool:
        """Return whether a field's value differs from its default, however it was given."""
        field, value = type(self).model_fields[name], getattr(self, name)
        left_to_rule = value is None and has_rule(field)
        return not left_to_rule and bool(value != field.default)

    @classmethod
    def names_by_rule(cls) -> tuple[str, ...]:
        """Return the settings that a rule fills where they are null."""
        return tuple(name for name, field in cls.model_fields.items() if has_rule(field))

    @property
    def left_to_rule(self) -> tuple[str, ...]:
        """The settings that are null, so that a rule has to fill them."""
        return tuple(name for name in self.names_by_rule() if getattr(self, name) is None)

    def filled(self, values: Mapping[str, Any]) -> Self:
        """Return these settings with the values that a rule gives for what is null; what is set stays."""
        left = self.left_to_rule
        given = {name: value for name, value in values.items() if name in left}
        return type(self).model_validate(self.model_dump() | given)


# Of 64 bits, as torch and numpy have them.
LARGEST = 2**63 - 1


def check_number(value: Any, kind: Any, where: str = "") -> None:
    """Raise a ValueError where true or false is given for a number, as which pydantic would read it, or 65 bits are.

    Args:
        value: what is given.
        kind: the type of the setting.
        where: begins the message.
    """
    if isinstance(value, bool) and _holds(kind, int, float) and not holds_bool(kind):
        said = str(value).lower()
        raise ValueError(f"{where}{said} is no number; YAML reads yes, no, on and off as true and false")
    if isinstance(value, int) and abs(value) > LARGEST:
        raise ValueError(f"{where}{value} is too large: whole numbers go up to {LARGEST}")
    if isinstance(value, (list, tuple)) and not _holds_small_numbers(value):
        for each in value:
            # No call for a right number: a model may hold many thousand.
            if isinstance(each, (bool, list, tuple)) or (type(each) is int and abs(each) > LARGEST):
                check_number(each, kind, where)


def _holds_small_numbers(values: Sequence[Any]) -> bool:
    """Return whether all are text, floats or whole numbers of 64 bits, without a look at each: of a million rows."""
    kinds = set(map(type, values))
    return kinds <= {str, float} or (kinds == {int} and min(values) >= -LARGEST and max(values) <= LARGEST)


def holds_bool(kind: Any) -> bool:
    """Return whether a type, or a part of it, is true or false."""
    return _holds(kind, bool, Any)


def _holds(kind: Any, *wanted: Any) -> bool:
    return any(kind is each for each in wanted) or any(_holds(part, *wanted) for part in get_args(kind))


def setting(
    default: Any, meaning: str, when: str = "", not_with: str = "", *, by_rule: bool = False, **limits: Any
) -> Any:
    """Return a field that says what it is for; `conf/base` and `docs/hyperparameters.md` are made of these.

    Args:
        default: the value without a word in `conf/`.
        meaning: what the value does, with its unit or equation.
        when: when to use it.
        not_with: what it cannot be combined with.
        by_rule: null is filled by the rule that the meaning states, so that `conf/base` shows null; the default is
            what code gets that makes the settings itself.
        limits: pydantic's constraints, such as `ge=0`.
    """
    extra: dict[str, Any] = {"when": when, "not_with": not_with, "by_rule": by_rule}
    return Field(default, description=meaning, json_schema_extra=extra, **limits)


def has_rule(field: FieldInfo) -> bool:
    """Return whether null is filled by a rule."""
    extra = field.json_schema_extra
    return isinstance(extra, dict) and bool(extra.get("by_rule"))


class Choice(NamedTuple):
    """One value of a setting that is chosen by name: what it is, and when to take it."""

    meaning: str
    when: str = ""
    uses: tuple[str, ...] = ()
