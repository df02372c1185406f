"""Fitted models of scikit-learn in skops files, read only if they hold no other types than named ones."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Collection
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
