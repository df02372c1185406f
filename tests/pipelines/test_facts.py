"""Pipelines are composed for the problem of the session, also in a process that has had another one."""

import pytest
from kedro.io import DatasetError

from layerwise.datasets import EmbeddedDigits, SourceImages, kind_of_entry
from layerwise.pipelines.facts import ProblemFacts, current_facts


class Slides(SourceImages):
    """An entry of a user's own class."""


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("layerwise.datasets.EmbeddedDigits", "images"),
        ("layerwise.datasets.SourceImages", "images"),
        ("layerwise.datasets.SourceTable", "table"),
        ("layerwise.datasets.SourceRatings", "ratings"),
        ("layerwise.datasets.SourceDocuments", "documents"),
        ("layerwise.datasets.SourceWordTable", "documents"),
        ("layerwise.datasets.sources.counts.SourceRatings", "ratings"),
        (f"{__name__}.Slides", "images"),
        ("kedro_datasets.pandas.ParquetDataset", "table"),
        ("pandas.CSVDataset", "table"),
        ("no.such.Dataset", "table"),
    ],
)
def test_a_catalog_entry_says_what_kind_of_rows_it_gives(name, kind):
    assert kind_of_entry({"type": name}) == kind


class UndeclaredDigits(EmbeddedDigits):
    """Images from a class that says nothing of them."""

    ROWS = "table"


def test_rows_of_another_kind_than_the_class_says_are_refused_before_they_are_used(fresh_project):
    (fresh_project.path / "conf/odd").mkdir()
    entry = f'raw: {{type: "{__name__}.UndeclaredDigits"}}\n'
    (fresh_project.path / "conf/odd/catalog.yml").write_text(entry)
    (fresh_project.path / "conf/odd/parameters.yml").write_text("problem: {name: odd, task: multiclass}\n")
    with pytest.raises(DatasetError, match=r"raw gives Images, .* gives images says so: `ROWS = "):
        fresh_project.run("rbm", env="odd")


def test_where_no_problem_is_known_everything_applies():
    facts = ProblemFacts()
    assert facts.are_labelled
    assert facts.has_rows("images")
    assert facts.has_rows("ratings")
    assert facts.has_task("regression")
    assert facts.is_on("rbm.probe")


def test_a_problem_has_one_kind_of_rows_one_task_and_its_switches():
    facts = ProblemFacts("images", {"problem": {"task": "multiclass"}, "rbm": {"probe": False, "epochs": 3}})
    assert facts.has_rows("table", "images")
    assert not facts.has_rows("table")
    assert facts.has_task("binary", "multiclass")
    assert not facts.has_task("regression")
    assert not facts.is_on("rbm.probe")
    assert facts.is_on("rbm.classification_rbm")
    assert facts.parameter("rbm.epochs") == 3
    assert facts.parameter("problem.task.name") is None
    assert not ProblemFacts("ratings").are_labelled


def test_sessions_of_one_process_have_the_pipelines_of_their_own_problems(project):
    from kedro.framework.project import pipelines

    with project.session() as digits, project.session("forest_fires") as fires:
        digits.load_context()
        assert (current_facts().rows, current_facts().parameter("problem.name")) == ("images", "digits")
        first = pipelines["mlp"]
        assert pipelines["mlp"] is first
        context = fires.load_context()
        assert (current_facts().rows, current_facts().parameter("problem.name")) == ("table", "forest_fires")
        second = pipelines["mlp"]
        assert second is not first
        assert context.config_loader["catalog"]["raw"]["type"] == "layerwise.datasets.SourceTable"
        digits.load_context()
        assert pipelines["mlp"] is not second
