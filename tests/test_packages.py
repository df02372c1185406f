"""The layout of src/: what stands where, who imports whom, and what the wheel holds."""

import ast
import functools
import graphlib
import importlib
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src/layerwise"
FILES = sorted(SOURCE.rglob("*.py"))
AT_THE_ROOT = {"__init__.py", "__main__.py", "settings.py", "pipeline_registry.py"}
PACKAGES = sorted(p.parent for p in SOURCE.rglob("__init__.pyi"))


def module_name(path):
    parts = path.relative_to(SOURCE.parent).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


MODULES = {module_name(path): path for path in FILES}


@functools.cache
def public_names(package):
    """Where each name of a package's public path is defined, by its stub."""
    stub = MODULES[package].with_suffix(".pyi") if package in MODULES else None
    if stub is None or not stub.exists():
        return {}
    imports = [node for node in ast.parse(stub.read_text()).body if isinstance(node, ast.ImportFrom)]
    return {
        alias.name: defined_in(f"{package}.{node.module}", alias.name)
        for node in imports
        for alias in node.names
    }


def defined_in(module, name):
    """The module itself, or where its own stub finds the name if it is a package."""
    return public_names(module).get(name, module)


def imported(path):
    """The modules that a module imports when it is imported, or for its types."""
    body = ast.parse(path.read_text()).body
    body += [node for block in body if isinstance(block, ast.If) for node in block.body]
    found = set()
    for node in body:
        if not isinstance(node, ast.ImportFrom) or not (node.module or "").startswith("layerwise"):
            continue
        public = public_names(node.module)
        for alias in node.names:
            submodule = f"{node.module}.{alias.name}"
            found.add(submodule if submodule in MODULES else public.get(alias.name, node.module))
    return found - ({module_name(path)} if path.is_relative_to(SOURCE) else set())


def test_no_module_imports_itself_through_others_in_types_either():
    graph = {name: imported(path) for name, path in MODULES.items()}
    assert "layerwise.training.plan" in graph["layerwise.training.loop"]
    order = list(graphlib.TopologicalSorter(graph).static_order())
    assert len(order) == len(MODULES)


def test_a_circle_would_be_found_in_types_and_through_a_packages_public_path(tmp_path):
    back = tmp_path / "plan.py"
    back.write_text(
        "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    from layerwise.training import fit\n"
    )
    names = ("layerwise.training.loop", "layerwise.training.plan")
    graph = {names[0]: imported(MODULES[names[0]]), names[1]: imported(back)}
    assert graph[names[1]] == {names[0]}
    with pytest.raises(graphlib.CycleError):
        graphlib.TopologicalSorter(graph).prepare()


def test_nothing_else_stands_at_the_packages_root():
    assert {path.name for path in SOURCE.glob("*.py")} <= AT_THE_ROOT


@pytest.mark.parametrize("folder", sorted({path.parent for path in FILES}), ids=lambda p: p.name)
def test_a_folder_holds_a_dozen_modules_at_most(folder):
    assert len([path for path in folder.glob("*.py") if path.name != "__init__.py"]) <= 12


def test_no_file_is_longer_than_300_lines():
    assert [str(p) for p in FILES if len(p.read_text().splitlines()) > 300] == []


@pytest.mark.parametrize("package", PACKAGES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_every_public_name_of_a_package_can_be_imported_and_is_documented(package):
    module = importlib.import_module(module_name(package / "__init__.py"))
    assert module.__doc__
    assert set(module.__all__) == set(public_names(module.__name__))
    for name in module.__all__:
        found = getattr(module, name)
        if callable(found) and getattr(found, "__module__", "").startswith("layerwise"):
            assert found.__doc__, name


def test_the_wheel_holds_the_packages_and_their_data(tmp_path):
    project = tmp_path / "project"
    shutil.copytree(SOURCE, project / "src/layerwise", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, project)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--wheel-dir", str(tmp_path), str(project)], check=True)
    (wheel,) = tmp_path.glob("*.whl")
    held = set(zipfile.ZipFile(wheel).namelist())
    data = [p for p in SOURCE.rglob("*") if p.suffix in {".py", ".pyi", ".html"} or p.name == "py.typed"]
    assert {str(path.relative_to(SOURCE.parent)) for path in data} <= held
