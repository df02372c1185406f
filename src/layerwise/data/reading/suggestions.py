"""What makes rows readable that are not: settings of `problem.reading`, which the error of such rows carries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from layerwise.data.errors import DataError


class SuggestedSetting(NamedTuple):
    """A setting of `problem.reading` that decides how rows are read.

    Args:
        key: its name.
        value: plain data, as YAML has it; of a list or mapping what is to be added.
        reason: what stands in the rows, a sentence without its full stop.
        other: the runner-up, as it would stand in YAML; empty where there is none.
    """

    key: str
    value: Any
    reason: str
    other: str = ""

    @property
    def line(self) -> str:
        """The line of YAML, which reads back as the value whatever stands in it."""
        return yaml_line({self.key: self.value}).removeprefix("{").removesuffix("}")


class UnreadableError(DataError):
    """The rows cannot be read as the settings have it.

    Args:
        message: what is wrong, and what to do.
        suggestions: settings that decide it, each by itself; none where only other rows help.
        columns: the names of the columns that it is about, none if it is about the file.
    """

    def __init__(
        self, message: str, suggestions: Sequence[SuggestedSetting] = (), columns: Sequence[str] = ()
    ) -> None:
        super().__init__(message)
        self.suggestions, self.columns = tuple(suggestions), tuple(columns)


def yaml_line(value: Any) -> str:
    """Return plain data on one line, as YAML reads it back."""
    import yaml

    text = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10**6, sort_keys=False)
    return text.removesuffix("...\n").strip()


def quoted(texts: Sequence[str]) -> str:
    """Return texts as messages show them."""
    return ", ".join(f'"{text}"' for text in texts)
