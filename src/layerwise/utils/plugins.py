"""Find what registers itself: the modules of a package, and those of other distributions' entry points."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from importlib.metadata import entry_points


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
