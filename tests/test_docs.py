import importlib
import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from make_pictures import SHOWN
from pydantic import BaseModel, TypeAdapter

from layerwise.parameters import PARAMETERS
from layerwise.pipeline_registry import RUNNABLE, create_pipeline
from layerwise.utils import set_run_context

ROOT = Path(__file__).parent.parent
PAGES = sorted((ROOT / "docs/pipelines").glob("*.md"))
PARTS = ["## The equation", "## Parameters", "## A figure", "## The paper"]


def known(name):
    """Return whether there is such a parameter, and its model's default if it has one."""
    key, *parts = name.split(".")
    if key not in PARAMETERS:
        return False
    kind = PARAMETERS[key]
    for part in parts:
        if not (isinstance(kind, type) and issubclass(kind, BaseModel) and part in kind.model_fields):
            return False
        kind = kind.model_fields[part].annotation
    return True


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_pipelines_page_has_its_parts_and_names_only_parameters_that_there_are(page):
    text = page.read_text()
    assert f"--pipelines={page.stem}" in text
    positions = [text.index(part) for part in PARTS]
    assert positions == sorted(positions)
    names = re.findall(r"^\| `([\w.]+)`", text.split("## Parameters")[1], re.MULTILINE)
    assert names
    assert [name for name in names if not known(name)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_pages_defaults_are_those_of_the_base_configuration(page):
    base = yaml.safe_load((ROOT / "conf/base/parameters.yml").read_text())
    base["problem"] |= {"name": "any", "task": "binary"}  # these two have no default
    right = {key: TypeAdapter(PARAMETERS[key]).validate_python(value) for key, value in base.items()}
    shown = re.findall(r"^\| `([\w.]+)` \| `([^`]*)`", page.read_text(), re.MULTILINE)
    assert shown, "no line `| `name` | `default` | ...`"
    for name, default in shown:
        key, *parts = name.split(".")
        value = right[key]
        for part in parts:
            value = getattr(value, part)
        expected = yaml.safe_load(default)
        assert (list(value) if isinstance(value, tuple) else value) == expected, name


def test_every_pipeline_that_runs_has_its_page_and_every_page_is_in_the_navigation():
    nav = (ROOT / "mkdocs.yml").read_text()
    assert sorted(page.stem for page in PAGES) == sorted(RUNNABLE)
    assert [page.name for page in PAGES if f" pipelines/{page.name}\n" not in nav] == []


def test_every_page_is_in_the_navigation_and_shows_only_pictures_that_there_are():
    nav = (ROOT / "mkdocs.yml").read_text().split("\nnav:")[1]
    docs = ROOT / "docs"
    for page in docs.rglob("*.md"):
        assert f" {page.relative_to(docs)}\n" in nav, page
        for picture in re.findall(r"!\[[^]]*\]\(([^)]*)\)", page.read_text()):
            assert (page.parent / picture).exists(), (page, picture)


def test_every_script_and_test_that_a_page_names_is_there():
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    named = {
        (page.name, path.rstrip("."))
        for page in pages
        for path in re.findall(r"\b(?:benchmarks|tests|docs|src)/[\w/.-]*\w", page.read_text())
    }
    assert len(named) > 20
    assert [(page, path) for page, path in named if not (ROOT / path).exists()] == []


@pytest.mark.parametrize(("pipeline", "names"), [(shown[1], shown[2]) for shown in SHOWN])
def test_every_picture_is_of_figures_that_its_pipeline_draws(pipeline, names):
    set_run_context(Path(), "unnamed")  # a pipeline is whole where no problem is known
    outputs = create_pipeline(pipeline).all_outputs()
    assert {f"{pipeline}.figure_{name}" for name in names} <= outputs


@pytest.mark.skipif(importlib.util.find_spec("mkdocs") is None, reason="the docs extra is not installed")
def test_the_documentation_builds_without_a_warning(tmp_path):
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "pipelines/rbm.html").read_text()
    assert "<math" in page
    assert "arithmatex" not in page
