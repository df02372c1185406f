"""docs/how_a_run_flows.md against the code: its files, and the nodes of the dbn pipeline."""

import inspect
import re
import tomllib
from pathlib import Path
from types import FunctionType

import pytest

from layerwise.evaluation import plots
from layerwise.pipeline_registry import create_pipeline
from layerwise.utils import set_run_context


def digits_pipeline():
    """The pipeline as it is composed for the embedded digits."""
    set_run_context(Path(), "digits", {"problem": {"task": "multiclass"}}, rows="images")
    try:
        return create_pipeline("dbn")
    finally:
        set_run_context(Path(), "unnamed")


ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src/layerwise"
TEXT = (ROOT / "docs/how_a_run_flows.md").read_text()
NODES = digits_pipeline().nodes
ROWS = re.findall(r"^\| `([\w.]+)` \| `([\w/.]+)` \| `([\w/.]+)` \|$", TEXT, re.MULTILINE)


def modules_reached(function, seen=()):
    """The modules of the functions and classes that a function calls, itself or through others of its module."""
    found = set()
    for name in function.__code__.co_names:
        value = function.__globals__.get(name)
        value = getattr(plots, name, value) if function.__globals__.get("plots") is plots else value
        if isinstance(value, type):
            found.add(value.__module__)
        if not isinstance(value, FunctionType) or value in seen:
            continue
        if value.__module__ == function.__module__:
            found |= modules_reached(value, (*seen, function))
        else:
            found.add(value.__module__)
    return found


def module_of(file):
    return f"layerwise.{file.removesuffix('.py').replace('/', '.')}"


def test_every_file_that_the_page_names_exists():
    files = set(re.findall(r"`([\w/]+\.(?:py|yml|toml))`", TEXT))
    assert len(files) > 40
    missing = [file for file in files if not (SOURCE / file).exists() and not (ROOT / file).exists()]
    assert missing == []


def test_the_nodes_are_those_of_the_dbn_pipeline_in_their_order():
    assert [name for name, _, _ in ROWS] == [node.name for node in NODES]


@pytest.mark.parametrize(
    ("row", "node"), list(zip(ROWS, NODES, strict=False)), ids=lambda each: str(each)[:30]
)
def test_a_nodes_function_is_in_the_file_beside_it_and_calls_the_file_behind_it(row, node):
    _, defined, called = row
    function = inspect.unwrap(node.func)
    assert Path(inspect.getsourcefile(function)) == (SOURCE / defined).resolve()
    arguments = {getattr(kind, "__module__", "") for kind in function.__annotations__.values()}
    assert module_of(called) in modules_reached(function) | arguments


def test_every_package_is_visited_and_the_drawing_has_the_order_of_the_imports():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    # What a package holds stands in the drawing's right half.
    drawing = [name for line in TEXT.split("```")[1].splitlines() for name in re.findall(r"\w+", line[:50])]
    names = [
        name
        for layer in contracts[0]["layers"][1:]  # the first one is Kedro's side
        for name in re.findall(r"\w+", layer)
    ]
    assert [name for name in drawing if name in names] == names
    files = re.findall(r"`(\w+)/[\w/]+\.py`", TEXT)
    assert [name for name in names if name not in files and name != "estimators"] == []


def test_functions_and_classes_that_the_page_names_are_there():
    named = re.findall(r"`(\w+)`\s+\(`([\w/]+\.py)`\)", TEXT)
    named += re.findall(r"`(\w+)` (?:in|of) `([\w/]+\.py)`", TEXT)
    assert len(named) >= 8
    for name, file in named:
        assert re.search(rf"^(class|def) {name}\b", (SOURCE / file).read_text(), re.MULTILINE), (name, file)
