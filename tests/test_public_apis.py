"""What the code takes of other packages is public, and nothing of theirs is changed while it runs."""

import ast
import re
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src/layerwise"
PRIVATE = re.compile(r"_(?!_)\w*")


def foreign(module):
    """Whether a module is neither this package's nor Python's own."""
    return module.split(".")[0] not in sys.stdlib_module_names | {"layerwise"}


def imports(tree):
    """Each import of another package as (the name that it binds here, the full dotted name, its line)."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                bound = alias.asname or alias.name.split(".")[0]
                yield bound, alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for alias in node.names:
                yield alias.asname or alias.name, f"{node.module}.{alias.name}", node.lineno


def root_name(node):
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def targets(tree):
    """Whatever is assigned, deleted, or set by `setattr`, with its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.Delete):
            found = node.targets
        elif isinstance(node, ast.AugAssign | ast.AnnAssign):
            found = [node.target]
        elif isinstance(node, ast.Call) and root_name(node.func) in ("setattr", "delattr"):
            yield ast.Attribute(node.args[0], "?"), node.lineno
            continue
        else:
            continue
        while found:
            target, *found = found
            if isinstance(target, ast.Tuple | ast.List):
                found = [*target.elts, *found]
            elif isinstance(target, ast.Starred):
                found = [target.value, *found]
            else:
                yield target, node.lineno


def faults(source):
    """Each use of another package that is not public, as (line, what)."""
    tree, found = ast.parse(source), []
    bound = {}
    for name, full, line in imports(tree):
        if foreign(full):
            bound[name] = full
            if any(PRIVATE.fullmatch(part) for part in full.split(".")):
                found.append((line, f"imports {full}"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            if PRIVATE.fullmatch(node.attr) and root_name(node) in bound:
                found.append((node.lineno, f"reads {ast.unparse(node)}"))
            if node.attr == "modules" and root_name(node) == "sys":
                found.append((node.lineno, "reaches for another module by sys.modules"))
    for target, line in targets(tree):
        if not isinstance(target, ast.Name) and root_name(target) in bound:
            found.append((line, f"assigns to {ast.unparse(target)}"))
        elif isinstance(target, ast.Attribute) and target.attr == "__class__":
            found.append((line, f"reassigns {ast.unparse(target)}"))
    return found


@pytest.mark.parametrize(
    "path", sorted(SOURCE.rglob("*.py")), ids=lambda path: path.relative_to(SOURCE).as_posix()
)
def test_a_module_uses_what_is_public_of_other_packages_and_changes_nothing_of_theirs(path):
    assert faults(path.read_text()) == []


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("from mlflow.models.utils import _save_example", "imports"),
        ("import mlflow._private.thing", "imports"),
        ("from mlflow._private import thing", "imports"),
        ("def f():\n    from mlflow.types.utils import _infer_schema", "imports"),
        ("import mlflow\nmlflow.tracking._client()", "reads"),
        ("import torch\ntorch.nn.Linear.forward = None", "assigns"),
        ("from torch import nn\nnn.Linear.x[0], y = 1, 2", "assigns"),
        ("from torch import nn\nsetattr(nn.Linear, 'forward', None)", "assigns"),
        ("from torch import nn\ndel nn.Linear.forward", "assigns"),
        ("import sys\nserver = sys.modules.get('mlflow')\nserver.invocations = None", "sys.modules"),
        ("layer.__class__ = kind", "reassigns"),
    ],
)
def test_each_kind_of_private_use_or_patch_would_be_found(source, what):
    assert any(what in text for _, text in faults(source))


def test_public_names_and_what_is_ones_own_are_let_be():
    source = """
from __future__ import annotations
import torch
from layerwise.utils import _context
layer = torch.nn.Linear(1, 2)
layer.weight.data = None
self._state = torch.__version__
_context.project = None
"""
    assert faults(source) == []
