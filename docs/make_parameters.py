"""Every parameter with its default and its meaning: `python docs/make_parameters.py conf/base/parameters.yml`."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

import yaml
from page_writer import write
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from layerwise.parameters import PARAMETERS
from layerwise.utils import Registered, has_rule

WIDTH = 120
# Longer lists of names stand in the documentation's tables alone.
MAX_CHOICES = 8
HEAD = """\
# Every parameter with its default, written from the parameter models by `make parameters`: a default is changed there.
# A problem is a folder beside this one; what it says takes the place of these values one by one. null: not set, or set
# by the rule beside it. docs/hyperparameters.md has the tables of optimisers, schedules, losses, variants and the rest.
"""


def document() -> str:
    """Return the whole file."""
    parts = [HEAD]
    for key, kind in PARAMETERS.items():
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            parts.append("\n".join(_section(key, kind, "")) + "\n")
        else:
            parts.append("\n".join(_line(key, _described(kind), "")) + "\n")
    return "\n".join(parts)


def _described(kind: Any) -> FieldInfo:
    """Return the field of a key that holds one value, with the annotation that it belongs to."""
    field = FieldInfo.from_annotation(kind)
    assert field.description
    return field


def _section(name: str, model: type[BaseModel], indent: str) -> Iterator[str]:
    yield from _comment(inspect.cleandoc(model.__doc__ or "").split("\n\n")[0], indent)
    yield f"{indent}{name}:"
    for each, field in _own_fields_first(model):
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from _section(each, inner, indent + "  ")
        else:
            yield from _line(each, field, indent + "  ")


def _own_fields_first(model: type[BaseModel]) -> Iterator[tuple[str, FieldInfo]]:
    """Yield a model's fields: its own, then those that it shares with others."""
    seen: set[str] = set()
    for base in model.__mro__:
        for name in inspect.get_annotations(base):
            if name in model.model_fields and name not in seen:
                seen.add(name)
                yield name, model.model_fields[name]


def _line(name: str, field: FieldInfo, indent: str) -> Iterator[str]:
    """Yield a parameter's line, with the comment beside it where there is room."""
    value = None if field.is_required() or has_rule(field) else field.default
    comment = "required of every problem: " * field.is_required() + (field.description or "")
    choices = list(_choices(field.annotation))
    for each in field.metadata:
        if isinstance(each, Registered):
            choices += each.names()
    if 0 < len(choices) <= MAX_CHOICES:
        comment += f" [{' | '.join(choices)}]"
    lines = _value(name, value, indent)
    beside = f"{lines[0]}  # {comment}"
    if len(lines) == 1 and len(beside) <= WIDTH:
        yield beside
        return
    yield from _comment(comment, indent)
    yield from lines


def _choices(kind: Any) -> Iterator[str]:
    """Yield the values of a parameter that is chosen by name."""
    if get_origin(kind) is Literal:
        yield from map(str, get_args(kind))
    elif get_origin(kind) is not tuple:
        for each in get_args(kind):
            yield from _choices(each)


def _value(name: str, value: Any, indent: str) -> list[str]:
    plain = list(value) if isinstance(value, tuple) else value
    if isinstance(plain, list):
        flow = yaml.safe_dump(plain, default_flow_style=True, width=10_000).strip()
        if len(indent) + len(name) + 2 + len(flow) <= WIDTH:
            return [f"{indent}{name}: {flow}"]
        return [f"{indent}{name}:", *(f"{indent}  - {_scalar(each)}" for each in plain)]
    return [f"{indent}{name}: {_scalar(plain)}"]


def _scalar(value: Any) -> str:
    return str(yaml.safe_dump(value, width=10_000)).removesuffix("...\n").strip()


def _comment(text: str, indent: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=f"{indent}# ", subsequent_indent=f"{indent}# ")


if __name__ == "__main__":
    write(document())
