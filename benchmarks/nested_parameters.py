"""Parameters of a command, `a.b=1`, as a session takes them."""

from __future__ import annotations

from typing import Any


def nested(pairs: list[str]) -> dict[str, Any]:
    """Return `a.b=1` as nested dicts; values are read as YAML, but for names that begin with `@`."""
    import yaml

    found: dict[str, Any] = {}
    for pair in pairs:
        name, _, text = pair.partition("=")
        *path, last = name.split(".")
        settings = found
        for part in path:
            settings = settings.setdefault(part, {})
        settings[last] = text if text.startswith("@") else yaml.safe_load(text)
    return found
