import numpy as np
import pytest
from PIL import Image

SMALL = {
    "depths": [2, 10],
    "activations": ["sigmoid", "relu"],
    "initializers": ["glorot_uniform", "he_uniform"],
}


@pytest.fixture(scope="module")
def gradient_study(project):
    project.run("gradients", gradients=SMALL | {"updates": 100})
    return project


def test_the_survey_finds_what_vanishes_with_depth(gradient_study):
    survey = {each["name"]: each for each in gradient_study.json("08_reporting/digits/gradients/survey.json")}
    assert len(survey) == 8
    assert survey["10 x sigmoid, glorot_uniform"]["diagnoses"][0].startswith("vanishing")
    for healthy in ("10 x relu, he_uniform", "2 x relu, he_uniform", "2 x sigmoid, glorot_uniform"):
        assert survey[healthy]["diagnoses"] == []
    assert len(survey["10 x relu, he_uniform"]["gradients"]) == 11


def test_every_remedy_is_beside_its_failing_network(gradient_study):
    remedies = gradient_study.json("08_reporting/digits/gradients/remedies.json")
    working = {each["name"] for found in remedies.values() for each in found if each["works"]}
    assert {
        "relu units, He start", "2 layers", "batch normalisation", "Glorot start", "He start as it should be",
        "clipping by norm 5", "L2 penalty", "L1 penalty",
    } <= working  # fmt: skip
    assert not any(name.startswith("failing") for name in working)
    failing = [found[0] for found in remedies.values()]
    assert sum(bool(each["diagnoses"]) for each in failing) >= 3


def test_the_report_holds_survey_diagnoses_and_long_range_memory(gradient_study):
    report = (gradient_study.path / "data/08_reporting/digits/gradients/report.md").read_text()
    assert "| 10 x sigmoid, glorot_uniform |" in report
    assert "> vanishing: the gradient of layer_1 is " in report
    assert "| lstm | 1.000 |" in report


@pytest.mark.figures
@pytest.mark.parametrize("name", ["gradients", "remedies", "long_range_memory"])
def test_every_plot_of_the_gradient_study_is_made(gradient_study, name):
    with Image.open(gradient_study.path / f"data/08_reporting/digits/gradients/{name}.png") as figure:
        assert len(np.unique(np.asarray(figure.convert("L")))) > 20


@pytest.mark.parametrize(("pipeline", "node"), [("mlp", "train_network"), ("dbn", "finetune_network")])
def test_layer_statistics_are_tracked_in_any_training(project, pipeline, node):
    project.run(
        pipeline,
        layer_statistics=True,
        problem={"name": "watched"},
        to_nodes=[f"finetuning.{node}_{pipeline}"],
    )
    history = project.json(f"07_model_output/watched/{pipeline}/finetuning_history.json")
    assert history["diagnoses"] == []
    run, _ = project.last_run()
    tracked = project.query("select distinct key from metrics where run_uuid = ?", run)
    names = {key for (key,) in tracked}
    for layer in ("layer_1", "layer_2", "output"):
        assert f"layer_statistics/{layer}/gradient" in names
        assert f"layer_statistics/{layer}/update_ratio" in names
    assert len(history["layer_statistics"]) == 3
