"""What is wrong with a project's YAML files, in a sentence that names the file and the line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from omegaconf.errors import OmegaConfBaseException

from layerwise.utils import UserError

FILES = (
    "parameters*.yml",
    "parameters*/**/*.yml",
    "catalog*.yml",
    "catalog*/**/*.yml",
    "globals*.yml",
    "sweep*.yml",
)
RESOLVERS = "${problem:}, ${parameter:name} and ${globals:name}"


class ConfigurationError(UserError, ValueError):
    """A file of the configuration cannot be read; the message says where and why."""


def configuration_error(error: Exception, folders: list[Path]) -> ConfigurationError | None:
    """Return what an error of Kedro's configuration loader is about; None where no file explains it.

    Args:
        error: what it raised.
        folders: of the environments that were read, the base first.
    """
    files = [path for folder in folders for pattern in FILES for path in sorted(folder.glob(pattern))]
    for path in files:
        try:
            fault = next(_faults(path), None)
        except RecursionError:  # of a name that stands within what it names, too
            fault = ": it is nested too deeply"
        if fault:
            return ConfigurationError(f"{path}{fault}")
    if isinstance(error, RecursionError):
        return ConfigurationError(f"{folders[-1]}: something is nested too deeply")
    if not isinstance(error, OmegaConfBaseException):
        return None
    if "Cannot merge" in str(error):
        return ConfigurationError(next(_other_kinds(files), f"{folders[-1]}: {str(error).splitlines()[0]}"))
    reason = str(error).splitlines()[0]
    key = str(getattr(error, "full_key", None) or "")
    at = next((place for path in files for place in _places(path, key.rpartition(".")[2])), "")
    if "nterpolation" in reason or "Recursive" in reason or "viable" in reason:
        reason += f"; what can be named is {RESOLVERS}"
    return ConfigurationError(f"{at or folders[-1]}: {key + ': ' if key else ''}{reason}")


def _other_kinds(files: list[Path]) -> Iterator[str]:
    """Yield what is a list in one file and names with values in an earlier one, or the other way round."""
    seen: dict[str, type] = {}
    words: dict[type, str] = {list: "a list", dict: "names with values"}
    for path in files:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        for name, value in _flat(content if isinstance(content, dict) else {}):
            kind = seen.setdefault(name, type(value))
            if {kind, type(value)} == set(words):
                yield f"{path}: {name} holds {words[type(value)]}, in place of {words[kind]}"


def _flat(values: dict[Any, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        yield f"{prefix}{key}", value
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")


def _places(path: Path, name: str) -> Iterator[str]:
    """Yield the lines of a file that give a name a value with `${`."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if "${" in line and re.match(rf"\s*['\"]?{re.escape(name)}['\"]?\s*:", line):
            yield f"{path}, line {number}"


def _faults(path: Path) -> Iterator[str]:
    """Yield what is wrong with a file, as the rest of a sentence that begins with its name."""
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        row = content[: error.start].count(b"\n") + 1
        yield f", line {row}: the byte 0x{content[error.start]:02x} is no UTF-8; save the file as UTF-8"
        return
    try:
        node = yaml.compose(text, yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f", line {mark.line + 1}" if mark else ""
        tab = "a tab; YAML is indented by spaces" if "\\t" in str(error.problem) else ""
        yield f"{where}: {tab or error.problem or error.context}"
        return
    except yaml.YAMLError as error:
        yield f": {str(error).splitlines()[0]}"
        return
    if node is None:
        return
    if not isinstance(node, yaml.MappingNode):
        if isinstance(node, yaml.SequenceNode):
            yield f", line {node.start_mark.line + 1}: a list, in place of names with values"
        return
    yield from _wrong_nodes(node)
    for key, value in node.value:
        line = f", line {key.start_mark.line + 1}"
        if key.tag != "tag:yaml.org,2002:str":
            yield f"{line}: the name {key.value or 'null'} is no text; put it into quotes"
        elif _is_entry(path, key.value) and not isinstance(value, yaml.MappingNode):
            yield f"{line}: the entry {key.value} has to say its type and where its data lie, as names with values"


def _is_entry(path: Path, name: str) -> bool:
    return path.name.startswith("catalog") and not name.startswith("_")


def _wrong_nodes(node: yaml.Node) -> Iterator[str]:
    """Yield names that a mapping has twice, and values of types that are no data."""
    if not node.tag.startswith("tag:yaml.org,2002:") or "python" in node.tag:
        yield f", line {node.start_mark.line + 1}: the type {node.tag} is not read"
    if isinstance(node, yaml.MappingNode):
        seen: dict[str, int] = {}
        for key, value in node.value:
            name, line = str(key.value), key.start_mark.line + 1
            if name in seen:
                yield f", line {line}: {name} is there already, in line {seen[name]}; remove one of them"
            seen[name] = line
            yield from _wrong_nodes(value)
    elif isinstance(node, yaml.SequenceNode):
        for each in node.value:
            yield from _wrong_nodes(each)
