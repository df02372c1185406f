"""Fitted models of scikit-learn in skops files, read only if they hold no other types than named ones."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Collection
from pathlib import PurePath
from typing import Any

# How skops calls what builds plain values, with the types that each may build. Functions, methods, operators and
# whatever else calls something are not among them.
_PLAIN = {
    "DictNode": r"builtins\.dict",
    "JsonNode": r"builtins\.(str|int|float|bool|NoneType)",
    "ListNode": r"builtins\.list",
    "NdArrayNode": r"numpy\.(ndarray|bool_?|str_|u?int(8|16|32|64)|float(16|32|64))",
    "TupleNode": r"builtins\.tuple",
    "TypeNode": r"builtins\.(str|int|float|bool|object)|numpy\.(bool_?|str_|u?int(8|16|32|64)|float(16|32|64))",
}
_OBJECTS = ("ObjectNode", "TreeNode", "LossNode", "RandomGeneratorNode")
_SCHEMA = "schema.json"
# The earliest time that a zip file knows.
_EPOCH = (1980, 1, 1, 0, 0, 0)


def dump_fitted(value: Any) -> bytes:
    """Return a skops file of fitted models: the same models give the same bytes, in any process and at any time.

    skops names nodes and arrays by their addresses in memory, and its archive has the time; here they are numbered in
    the order of the schema. A model is registered once by the hash of what it is made of.
    """
    import skops.io

    with zipfile.ZipFile(io.BytesIO(skops.io.dumps(value))) as archive:
        schema, files, ids = json.loads(archive.read(_SCHEMA)), dict[str, str](), dict[Any, int]()
        _number(schema, ids, files)
        written = io.BytesIO()
        with zipfile.ZipFile(written, "w") as numbered:
            for name, number in files.items():
                numbered.writestr(zipfile.ZipInfo(number, _EPOCH), archive.read(name))
            numbered.writestr(zipfile.ZipInfo(_SCHEMA, _EPOCH), json.dumps(schema, indent=2))
    return written.getvalue()


def _number(node: Any, ids: dict[Any, int], files: dict[str, str]) -> None:
    """Number the nodes of a schema and the files that they name, in place."""
    if isinstance(node, list):
        for each in node:
            _number(each, ids, files)
    elif isinstance(node, dict):
        if "__loader__" in node:
            # Whether two equal numbers or words are one object is Python's own affair: each has a number of its own.
            key = len(ids) if node["__loader__"] == "JsonNode" else ("node", node.get("__id__"))
            if "__id__" in node:
                node["__id__"] = ids.setdefault(key, len(ids) + 1)
            if isinstance(node.get("file"), str):
                name = node["file"]
                node["file"] = files.setdefault(name, f"{len(files) + 1}{PurePath(name).suffix}")
        for each in node.values():
            _number(each, ids, files)


def load_trusted(content: bytes, trusted: Collection[str]) -> Any:
    """Return what a skops file holds, if all its types are plain values or named ones.

    skops has a list of its own of what it trusts, all of scikit-learn and functions of numpy and scipy among it; here
    nothing counts but `trusted`.

    Args:
        content: of the file.
        trusted: names of types, `sklearn.preprocessing._data.StandardScaler`.

    Raises:
        ValueError: there is another type, which the message names, or no such file.
    """
    import skops.io

    try:
        unknown = _other_types(content, trusted)
        if unknown:
            raise ValueError(f"holds types that are not trusted, and was not loaded: {', '.join(unknown)}")
        return skops.io.loads(content, trusted=list(trusted))
    except ValueError:
        raise
    except Exception as error:  # of the zip file, of JSON, of the types' own constructors
        raise ValueError(f"cannot be read: {str(error)[:200] or type(error).__name__}") from error


def _other_types(content: bytes, trusted: Collection[str]) -> list[str]:
    """Return the types of a skops file that are neither plain nor trusted."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        # skops does not compress: a file that grows when it is read was made to.
        if sum(entry.file_size for entry in archive.infolist()) > len(content):
            raise ValueError("is compressed, which no file of this project is")
        found, rest = set(), [json.loads(archive.read(_SCHEMA))]
    while rest:
        node = rest.pop()
        if isinstance(node, list):
            rest.extend(node)
        elif isinstance(node, dict):
            rest.extend(node.values())
            if "__loader__" in node:
                loader, name = str(node["__loader__"]), f"{node.get('__module__')}.{node.get('__class__')}"
                plain = re.fullmatch(_PLAIN.get(loader, "(?!)"), name)
                if not plain and not (loader in _OBJECTS and name in trusted):
                    found.add(name if loader in _OBJECTS else f"{name} ({loader})")
    return sorted(found)
