"""What is chosen by name: found in a package, by entry points, and checked as a parameter."""

import sys
from typing import Annotated

import pytest
from pydantic import BaseModel, ValidationError

from layerwise.utils import Registered, Registry
from layerwise.utils.registry import import_registrants


@pytest.fixture
def fruit(tmp_path, monkeypatch):
    """A registry of a package with two modules, one of them in a folder below."""
    package = tmp_path / "fruit_of_a_test"
    (package / "tropical").mkdir(parents=True)
    (package / "__init__.py").write_text("from layerwise.utils import Registry\n")
    (package / "tropical/__init__.py").write_text("")
    text = "import layerwise_test_fruit as each\neach.registry.add({name!r}, {weight})\n"
    (package / "pear.py").write_text(text.format(name="pear", weight=3))
    (package / "tropical/mango.py").write_text(text.format(name="mango", weight=9))
    monkeypatch.syspath_prepend(tmp_path)
    registry = Registry("fruit", "fruit_of_a_test", "fruit.of_others")
    holder = type(sys)("layerwise_test_fruit")
    holder.registry = registry
    monkeypatch.setitem(sys.modules, "layerwise_test_fruit", holder)
    yield registry
    import_registrants.cache_clear()
    for name in [each for each in sys.modules if each.startswith("fruit_of_a_test")]:
        del sys.modules[name]


def test_every_module_of_the_package_is_found_and_the_names_are_in_order(fruit):
    assert fruit.all() == {"mango": 9, "pear": 3}
    assert list(fruit.all()) == ["mango", "pear"]
    assert fruit.find("mango") == 9


def test_what_another_distribution_names_in_its_entry_points_is_found_too(fruit, monkeypatch):
    class Entry:
        def load(self):
            fruit.add("apple", 4)

    monkeypatch.setattr(
        "layerwise.utils.registry.entry_points", lambda group: [Entry()] * (group == "fruit.of_others")
    )
    assert fruit.find("apple") == 4
    assert list(fruit.all()) == ["apple", "mango", "pear"]


def test_an_unknown_name_is_refused_with_the_nearest_one(fruit):
    with pytest.raises(ValueError, match=r"unknown fruit 'maango'; did you mean 'mango'\?"):
        fruit.find("maango")


def test_a_parameter_takes_the_names_that_are_accepted_and_the_further_words(fruit):
    class Basket(BaseModel):
        heavy: Annotated[str, Registered(fruit, lambda weight: weight > 5, ("auto", "none"))] = "auto"

    assert [Basket(heavy=name).heavy for name in ("mango", "auto", "none")] == ["mango", "auto", "none"]
    with pytest.raises(ValidationError, match="Input should be 'auto', 'none' or 'mango'"):
        Basket(heavy="pear")
