import pytest

from layerwise.data import Problem, SplitSettings
from layerwise.parameters import EvaluationSettings, segments_without_table
from layerwise.parameters.rules import conflicts_of_split

TABLE = Problem(name="t", task="binary", target="y")


@pytest.mark.parametrize("name", ["groups", "time"])
def test_the_target_is_no_column_to_split_by(name):
    assert conflicts_of_split(SplitSettings(**{name: "y"}), TABLE) == [f"split.{name} names the target 'y'"]
    assert conflicts_of_split(SplitSettings(**{name: "x"}), TABLE) == []


@pytest.mark.parametrize("task", ["ratings", "documents"])
@pytest.mark.parametrize("setting", [{"groups": "x"}, {"time": "x"}, {"folds": 5}])
def test_rows_without_labels_are_split_by_no_column_and_into_no_folds(task, setting):
    (wrong,) = conflicts_of_split(SplitSettings(**setting), Problem(name="t", task=task))
    assert f"split.{next(iter(setting))}" in wrong
    assert task in wrong


@pytest.mark.parametrize(
    ("task", "target", "refused"),
    [("multiclass", None, True), ("binary", "late", False), ("ratings", None, False)],
)
def test_segments_are_refused_of_images_alone(task, target, refused):
    problem = Problem(name="parts", task=task, target=target or "")
    parameters = {"problem": problem, "evaluation": EvaluationSettings(segments=("day",))}
    assert bool(segments_without_table(parameters)) is refused
