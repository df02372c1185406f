"""What is chosen by name and registers itself, from the modules of a package or from another distribution."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from typing import Any, Generic, TypeVar

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, PydanticKnownError, core_schema

from layerwise.utils.config import nearest

Entry = TypeVar("Entry")


# Every validation of a name asks; looking through modules and distributions takes 5 ms.
@cache
def import_registrants(package: str, group: str) -> None:
    """Import every module below a package, and load every entry point of a group, so that they register themselves.

    Args:
        package: its dotted name.
        group: of entry points, in which another distribution names a module of its own.
    """
    path = importlib.import_module(package).__path__
    for module in pkgutil.walk_packages(path, f"{package}."):
        importlib.import_module(module.name)
    for entry in entry_points(group=group):
        entry.load()


class Registry(Generic[Entry]):
    """Entries by name, found when they are first asked for.

    Args:
        what: an entry is, for messages.
        package: whose modules register entries as they are imported; a module is found by being there.
        group: of the entry points by which other distributions add theirs.
    """

    def __init__(self, what: str, package: str, group: str) -> None:
        self.what, self.package, self.group = what, package, group
        self.entries: dict[str, Entry] = {}

    def add(self, name: str, entry: Entry) -> None:
        """Make an entry known under a name; a module calls this as it is imported."""
        self.entries[name] = entry

    def all(self) -> dict[str, Entry]:
        """Return every entry by name, in the order of the names."""
        import_registrants(self.package, self.group)
        return dict(sorted(self.entries.items()))

    def find(self, name: str) -> Entry:
        """Return the entry of a name.

        Raises:
            ValueError: no entry has it.
        """
        if name not in self.entries and name not in (known := self.all()):
            raise ValueError(f"unknown {self.what} '{name}'{nearest(name, list(known))}")
        return self.entries[name]


@dataclass(frozen=True)
class Registered:
    """An annotation for pydantic: text that is the name of an entry.

    Args:
        registry: of the entries.
        accepts: which of them the name may be of.
        also: further words that are allowed, such as `auto`.
    """

    registry: Registry[Any]
    accepts: Callable[[Any], bool] = lambda entry: True
    also: tuple[str, ...] = ()

    def names(self) -> list[str]:
        """Return the words that are allowed."""
        return [*self.also, *(name for name, entry in self.registry.all().items() if self.accepts(entry))]

    def validate(self, name: str) -> str:
        """Return the name, or refuse it as pydantic refuses a wrong literal."""
        names = [f"'{each}'" for each in self.names()]
        if f"'{name}'" not in names:
            raise PydanticKnownError("literal_error", {"expected": f"{', '.join(names[:-1])} or {names[-1]}"})
        return name

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Validate after the text itself."""
        return core_schema.no_info_after_validator_function(self.validate, handler(source))
