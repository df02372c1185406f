"""The public names of every package, from its stub and the docstrings: `python docs/make_api.py docs/api.md`."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, get_args, get_origin

from page_writer import write

import layerwise

SOURCE = Path(layerwise.__file__).parent
PROJECT = Path(__file__).parent.parent
HEAD = """\
# Public names

Written from the packages' stubs and docstrings by `make docs`. A name is imported from its package, as in
`from layerwise.models.rbm import RBM`, never from the module that defines it: modules may move within their package.
What stands here changes as the policy in `CONTRIBUTING.md` says; what does not is private. `help(name)` shows a name's
whole docstring: arguments with shapes and units, errors, and the paper. `=…` stands behind an argument that has a
default.
"""


def document() -> str:
    """Return the whole page."""
    parts = [HEAD]
    for package in packages():
        for stub in sorted((SOURCE / package).rglob("__init__.pyi")):
            parts.append("\n".join(_section(stub)) + "\n")
    return "\n".join(parts)


def packages() -> list[str]:
    """Return the packages in the order in which they may import each other, which import-linter checks."""
    contracts = tomllib.loads((PROJECT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = [re.split(r"[|:]", layer) for layer in contracts[0]["layers"]]
    return [name.strip() for layer in layers for name in layer]


def _section(stub: Path) -> Iterator[str]:
    """Yield a package's heading, what it holds, and a table of its names in the order of its stub."""
    name = ".".join(("layerwise", *stub.parent.relative_to(SOURCE).parts))
    package = importlib.import_module(name)
    yield f"## `{name}`"
    yield _cell(_first_sentence(package.__doc__))
    yield ""
    yield "| name | what it is |\n|---|---|"
    for public, module in public_names(stub):
        yield f"| `{public}{_arguments(getattr(package, public))}` | {_describe(package, public, module)} |"


def public_names(stub: Path) -> Iterator[tuple[str, str]]:
    """Yield the names that a stub offers, with the modules that define them."""
    for node in ast.parse(stub.read_text()).body:
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield alias.asname or alias.name, node.module or ""


def _arguments(value: Any) -> str:
    """Return the names of a function's arguments, with `*` where those that only take a keyword begin."""
    value = inspect.unwrap(value)  # such as a function with a cache
    if not inspect.isfunction(value):
        return ""
    shown = []
    parameters = inspect.signature(value).parameters.values()
    keyword_only = False
    for each in parameters:
        if each.kind is each.KEYWORD_ONLY and not keyword_only:
            keyword_only = True
            shown.append("*")
        optional = "=…" if each.default is not each.empty else ""
        shown.append(
            {each.VAR_POSITIONAL: "*", each.VAR_KEYWORD: "**"}.get(each.kind, "") + each.name + optional
        )
        keyword_only = keyword_only or each.kind is each.VAR_POSITIONAL
    return f"({', '.join(shown)})"


def _describe(package: ModuleType, name: str, module: str) -> str:
    """Return the first sentence of a name's docstring; of a constant its choices, or the comment above it."""
    value = inspect.unwrap(getattr(package, name))
    if get_origin(value) is Literal:
        return "one of " + ", ".join(f"`{each}`" for each in get_args(value))
    if inspect.ismodule(value) or inspect.isclass(value) or inspect.isfunction(value):
        return _cell(_first_sentence(value.__doc__))
    found = _comment_above(SOURCE.joinpath(*package.__name__.split(".")[1:], *module.split(".")), name)
    return _cell(" ".join(filter(None, (found, _value(value)))) or "a type")


def _value(value: Any) -> str:
    """Return a constant's value, or the names in it."""
    if isinstance(value, str | int | float):
        return f"`{value}`"
    if isinstance(value, dict | tuple | set | frozenset) and all(isinstance(each, str) for each in value):
        names = sorted(value) if isinstance(value, set | frozenset) else value
        return "By name: " + ", ".join(f"`{each}`" for each in names)
    return ""


def _comment_above(module: Path, name: str) -> str:
    """Return the comment above the assignment of a constant, if it has one."""
    path = module.with_suffix(".py") if module.with_suffix(".py").exists() else module / "__init__.py"
    text = path.read_text()
    lines = text.splitlines()
    for node in ast.parse(text).body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            first = node.lineno - 1
            while first and lines[first - 1].startswith("# "):
                first -= 1
            return " ".join(line[2:] for line in lines[first : node.lineno - 1])
    return ""


def _first_sentence(docstring: str | None) -> str:
    """Return the first paragraph of a docstring in one line."""
    return " ".join(inspect.cleandoc(docstring or "").split("\n\n")[0].split())


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    write(document())
