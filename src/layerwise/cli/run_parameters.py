"""The values of `--params` on the command line: lists and words too, which Kedro's own parser splits or turns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from layerwise.parameters import PARAMETERS, is_model
from layerwise.utils import UserError, holds_bool

CLOSING = {"[": "]", "{": "}", "(": ")"}
# What YAML reads as true or false; a class or a column may be called so.
BOOLEAN_WORDS = {"yes", "no", "on", "off", "y", "n", "true", "false"}


class CommandLineError(UserError, ValueError):
    """`--params` cannot be read; the message says which part of it."""


def parse_parameters(text: str) -> dict[str, Any]:
    """Return the nested parameters of `name=value,name=value`.

    A value is YAML: a number, a word, `[64, 32]`, `{a: 1}`, `null`, or text in quotes. Commas within brackets and
    quotes belong to the value. `yes`, `no` and their like are true and false where a parameter may be, and text where
    it may not, such as the name of a class.

    Raises:
        CommandLineError: an item has no `=` or no name, a bracket is open, or a value is no YAML.
    """
    items = []
    for item in _split(text):
        name, equals, value = (part.strip() for part in item.partition("="))
        if not equals or not name:
            raise CommandLineError(f"--params: '{item.strip()}' is no name=value")
        if value.casefold() in BOOLEAN_WORDS and not _may_be_boolean(name):
            value = f"'{value}'"
        items.append(f"{name}={value}")
    try:
        found: Any = OmegaConf.to_container(OmegaConf.from_dotlist(items))
    except (YAMLError, OmegaConfBaseException) as error:
        raise CommandLineError(f"--params: {text} cannot be read: {str(error).splitlines()[0]}") from None
    return found


def _split(text: str) -> Iterator[str]:
    """Yield the parts between commas that stand neither in brackets nor in quotes."""
    open_brackets: list[str] = []
    quote, start = "", 0
    for at, sign in enumerate(text):
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "'\"" and text[at - 1 : at] in ("=", "[", ",", " ", "{", ":"):
            quote = sign
        elif sign in CLOSING:
            open_brackets.append(CLOSING[sign])
        elif open_brackets and sign == open_brackets[-1]:
            open_brackets.pop()
        elif sign == "," and not open_brackets:
            yield text[start:at]
            start = at + 1
    if quote or open_brackets:
        raise CommandLineError(
            f"--params: {(quote or open_brackets[-1])} is missing in {text}; put the whole option into double quotes, "
            'such as "--params=mlp.hidden_sizes=[64, 32]"'
        )
    if text[start:].strip():
        yield text[start:]


def _may_be_boolean(name: str) -> bool:
    """Return whether a parameter takes true and false; an unknown one does, so that its check sees it as it was."""
    first, *rest = name.split(".")
    kind: Any = PARAMETERS.get(first, bool)
    for part in rest:
        if not is_model(kind) or part not in kind.model_fields:
            return True
        kind = kind.model_fields[part].annotation
    return holds_bool(kind)
