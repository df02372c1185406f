"""The examples in the estimators' docstrings and on their page run as they stand."""

import doctest
import logging
import re
from pathlib import Path

import pytest

from layerwise import estimators

PAGE = Path(__file__).parents[2] / "docs/estimators.md"


@pytest.fixture(autouse=True)
def _no_log():
    """What is printed is the examples' own: another test may have configured a log that goes to the standard output."""
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("name", estimators.__all__)
@pytest.mark.filterwarnings("ignore")
def test_the_example_of_an_estimator_says_what_it_gives(name):
    (example,) = doctest.DocTestFinder(recurse=False).find(getattr(estimators, name), name, globs={})
    assert len(example.examples) >= 3
    result = doctest.DocTestRunner().run(example)
    assert result.failed == 0


@pytest.mark.filterwarnings("ignore")
def test_the_page_names_every_estimator_and_its_code_runs(capsys):
    text = PAGE.read_text()
    assert [name for name in estimators.__all__ if f"`{name}`" not in text] == []
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    exec(compile(code, str(PAGE), "exec"), {})
    accuracy, *rows = capsys.readouterr().out.splitlines()
    assert float(accuracy) > 0.9
    # The first line names the columns; so many of 178 rows are a twentieth, and the last line is their number or a row.
    assert len(rows) >= 9
