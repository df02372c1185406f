"""Nodes are short functions of data and parameters, and the catalog is typed."""

import ast
import inspect
import re
import textwrap
from pathlib import Path

import pytest
import yaml

from layerwise.pipeline_registry import register_pipelines
from layerwise.utils import set_run_context

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src/layerwise"
# Images and tables, a likelihood, labels and numbers: between them nearly every node is used.
NUMBERS = {"interval_coverage": 0.9, "interval_method": "quantiles", "segments": ["city"]}
PROBLEMS = [
    (None, {}),
    ("images", {"problem": {"task": "multiclass"}, "gan": {"condition": "caption"}}),
    ("table", {"problem": {"task": "binary"}, "autoencoder": {"variant": "variational"}}),
    (
        "table",
        {
            "problem": {"task": "regression", "target_transform": "log1p"},
            "evaluation": NUMBERS,
            "refit": True,
        },
    ),
    ("ratings", {"problem": {"task": "ratings"}}),
]
LONGEST = 16


@pytest.fixture(scope="module")
def functions(project):
    """Every node's function by its name."""
    project.session()
    found = {}
    for rows, parameters in PROBLEMS:
        set_run_context(Path(), "unnamed", parameters, rows)
        for pipeline in register_pipelines().values():
            written = [inspect.unwrap(getattr(node.func, "func", node.func)) for node in pipeline.nodes]
            found |= {f"{function.__module__}.{function.__name__}": function for function in written}
    set_run_context(Path(), "unnamed")
    return found


def body_of(function):
    """The statements of a function without its docstring."""
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(function))).body
    return tree.body[1:] if ast.get_docstring(tree) else tree.body


def test_every_node_is_short(functions):
    assert len(functions) > 120
    lines = {name: body_of(f)[-1].end_lineno - body_of(f)[0].lineno + 1 for name, f in functions.items()}
    assert {name: n for name, n in lines.items() if n > LONGEST} == {}


def test_no_node_has_more_than_eight_arguments(functions):
    many = {name for name, f in functions.items() if len(inspect.signature(f).parameters) > 8}
    assert many == set()


def test_only_callbacks_and_the_tracker_report():
    reports = re.compile(r"\breport_(metrics|tags)\b")
    found = [path.relative_to(SOURCE) for path in SOURCE.rglob("*.py") if reports.search(path.read_text())]
    assert {path.parts[0] for path in found} <= {"utils", "tracking", "training"}
    assert {path.parts[:2] for path in found if path.parts[0] == "training"} == {("training", "callbacks")}


def test_the_catalog_holds_no_untyped_dictionary():
    entries = yaml.safe_load(re.sub(r"\$\{.*?\}", "", (ROOT / "conf/base/catalog.yml").read_text()))
    assert [name for name, entry in entries.items() if entry["type"].endswith("JSONDataset")] == []
