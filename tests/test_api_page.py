"""The page of the public names, docs/api.md."""

from pathlib import Path

import pytest
from make_api import SOURCE, document, packages, public_names

PAGE = Path(__file__).parent.parent / "docs/api.md"
STUBS = sorted(SOURCE.rglob("__init__.pyi"))


@pytest.fixture(scope="module")
def page():
    return document()


def test_the_page_is_not_stale(page):
    assert PAGE.read_text() == page, "run: python docs/make_api.py docs/api.md"


@pytest.mark.parametrize("stub", STUBS, ids=lambda stub: str(stub.parent.relative_to(SOURCE)))
def test_every_public_name_has_its_line_below_its_package(stub, page):
    package = ".".join(("layerwise", *stub.parent.relative_to(SOURCE).parts))
    section = page.split(f"\n## `{package}`\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| `")]
    names = [name for name, _ in public_names(stub)]
    assert [line.split("`")[1].split("(")[0] for line in lines] == names
    for line in lines:
        described = line.replace("\\|", "").split("|")[2].strip()
        assert described, line


def test_the_packages_stand_in_the_order_of_the_imports_contract(page):
    order = [line.split(".")[1] for line in page.splitlines() if line.startswith("## `layerwise.")]
    tops = list(dict.fromkeys(name.rstrip("`") for name in order))
    assert tops == [name for name in packages() if (SOURCE / name / "__init__.pyi").exists()]
