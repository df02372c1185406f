"""The forest fires exercise as it is taught, beside its correction."""

import pytest
import torch
from kedro.framework.project import pipelines
from PIL import Image

from layerwise.data import DataError, Problem
from layerwise.pipelines.forest_fires_classic.nodes import require_exercise

NAME = "forest_fires_classic"
TAUGHT, CORRECT, WITHOUT = (
    "as taught: scaler refitted on the test rows",
    "scaler of the training rows",
    "without area",
)
SETTINGS = {"finetuning": {"epochs": 40}, "problem": {"name": "taught"}, "evaluation": {"baselines": False}}


@pytest.fixture(scope="module")
def taught(project):
    """The shared project after the exercise."""
    project.run(NAME, env=NAME, **SETTINGS)
    return project


def reported(project, file):
    return project.path / "data/08_reporting/taught" / NAME / file


@pytest.mark.figures
def test_the_three_accuracies_stand_side_by_side(taught):
    exercise = taught.json(f"08_reporting/taught/{NAME}/exercise.json")
    assert list(exercise) == [TAUGHT, CORRECT, WITHOUT]
    accuracy = {name: of["accuracy"]["value"] for name, of in exercise.items()}
    network = taught.json(f"08_reporting/taught/{NAME}/metrics.json")["network"]["accuracy"]
    assert accuracy[CORRECT] == network["value"]
    assert accuracy[WITHOUT] <= network["base_rate"] + 0.05
    report = reported(taught, "report.md").read_text()
    for name, value in accuracy.items():
        assert f"| {name} | {value:.4f} [" in report
    assert f"| base rate | {network['base_rate']:.4f} |" in report
    assert "d47c00d4353138f3d670256ea2f708fd220f0a2ebf4f7d9e661573a7efba1321" in report
    assert "31 columns and 0 missing values" in report
    assert "LEAK: " in reported(taught, "model_card.md").read_text()
    with Image.open(reported(taught, "accuracies.png")) as figure:
        assert min(figure.size) > 200


def test_as_taught_is_the_same_network_on_rows_scaled_by_their_own_means(taught):
    catalog = taught.catalog(env=NAME, **SETTINGS)
    rows = catalog.load(f"{NAME}.test")
    x = rows.inputs.double()
    std = x.std(0, correction=0)
    x = (x - x.mean(0)) / torch.where(std > 0, std, 1.0)
    with torch.no_grad():
        predicted = catalog.load(f"{NAME}.network")(x.float()) > 0
    expected = float((predicted == rows.targets.bool()).double().mean())
    accuracy = taught.json(f"08_reporting/taught/{NAME}/exercise.json")[TAUGHT]["accuracy"]["value"]
    assert accuracy == pytest.approx(expected, abs=0.011)


def test_the_other_network_has_no_area_and_the_same_rows(taught):
    catalog = taught.catalog(env=NAME, **SETTINGS)
    columns = catalog.load(f"{NAME}.data_spec").feature_names
    other = catalog.load(f"{NAME}.data_spec_without_area").feature_names
    assert other == tuple(name for name in columns if name != "area")
    kept = [columns.index(name) for name in other]
    rows, other_rows = catalog.load(f"{NAME}.test"), catalog.load(f"{NAME}.test_without_area")
    torch.testing.assert_close(other_rows.inputs, rows.inputs[:, kept])
    torch.testing.assert_close(other_rows.targets, rows.targets)
    assert catalog.load(f"{NAME}.network_without_area").config.n_inputs == len(other)


def test_the_runs_metrics_and_texts_are_tracked(taught):
    run, status = taught.query(
        "select r.run_uuid, r.status from runs r join tags t on t.run_uuid = r.run_uuid "
        "where t.key = 'pipeline' and t.value = ? order by r.start_time limit 1",
        NAME,
    )[0]
    assert status == "FINISHED"
    found = dict(taught.query("select key, value from latest_metrics where run_uuid = ?", run))
    exercise = taught.json(f"08_reporting/taught/{NAME}/exercise.json")
    assert found["test/without_area/accuracy"] == exercise[WITHOUT]["accuracy"]["value"]
    assert found["test/as_taught_scaler_refitted_on_the_test_rows/accuracy"] == pytest.approx(
        exercise[TAUGHT]["accuracy"]["value"]
    )


@pytest.mark.parametrize("env", [None, "forest_fires_size", "mnist"])
def test_another_problem_is_refused_before_any_rows_are_read(project, env):
    with pytest.raises(
        DataError,
        match=rf"--pipelines={NAME} repeats the exercise .* add --env={NAME}, or run --pipelines=mlp",
    ):
        project.run(NAME, env=env, problem={"name": "refused"})
    assert not list((project.path / "data").glob(f"0[4-8]*/refused/{NAME}/*"))


def test_a_problem_of_the_exercise_by_any_name_is_taken():
    own = Problem(name="own", task="binary", target="size_category", derive=NAME)
    assert require_exercise(own) is own


def test_the_plain_network_has_no_node_of_the_exercise(project):
    project.catalog()  # the pipelines are known once there was a session
    plain = {node.name.split(".")[1].removesuffix("_mlp") for node in pipelines["mlp"].nodes}
    own = {node.name.split(".")[1].removesuffix(f"_{NAME}") for node in pipelines[NAME].nodes}
    assert plain < own
    assert own - plain == {
        "require_exercise", "train_without_area", "measure_exercise", "plot_accuracies", "write_report",
    }  # fmt: skip
    assert not [each for each in pipelines["mlp"].datasets() if "exercise" in each or "without_area" in each]


def test_few_labels_are_as_few_for_both_networks(project):
    settings = {"finetuning": {"epochs": 2}, "evaluation": {"baselines": False, "bootstrap": 0}}
    for name, extra in (("few", {"labelled_rows": 60}), ("all", {})):
        stop = [f"finetuning.train_without_area_{NAME}"]
        project.run(NAME, env=NAME, to_nodes=stop, problem={"name": name}, **settings, **extra)
    few, whole = (
        project.catalog(env=NAME, problem={"name": name}).load(f"{NAME}.network_without_area")
        for name in ("few", "all")
    )
    assert not torch.equal(few.output.weight, whole.output.weight)


def test_an_exercise_that_has_dropped_area_already_still_runs(project):
    project.run(
        NAME,
        env=NAME,
        problem={"name": "dropped", "drop": ["day", "month", "area"]},
        finetuning={"epochs": 3},
        evaluation={"baselines": False},
    )
    exercise = project.json(f"08_reporting/dropped/{NAME}/exercise.json")
    assert exercise[CORRECT] == exercise[WITHOUT]
