"""What lies in a pipeline's folder of reports is of its last run, except what no run is known to have written."""

import pytest


@pytest.fixture
def reports(project):
    """The folder after a run whose network is compared with baselines; a file of the user's own lies there too."""
    folder = project.path / "data/08_reporting/again/mlp"
    train(project, baselines=True)
    (folder / "notes.png").write_bytes(b"mine")
    return folder


def train(project, tags=None, baselines=False):
    project.run(
        "mlp",
        env="forest_fires_size",
        tags=tags,
        problem={"name": "again"},
        finetuning={"epochs": 1},
        evaluation={"baselines": baselines, "bootstrap": 0},
    )


def names_in(folder):
    return {path.name for path in folder.iterdir() if not path.name.startswith(".")}


def test_a_run_leaves_no_report_of_an_earlier_one_that_it_does_not_write(project, reports):
    before = names_in(reports)
    assert {"comparison.png", "baselines.json", "learning_curves.png", "report.html"} <= before
    train(project)
    assert before - names_in(reports) == {"comparison.png", "baselines.json"}
    assert (reports / "notes.png").read_bytes() == b"mine"


def test_a_run_of_some_nodes_leaves_all_reports(project, reports):
    before = names_in(reports)
    train(project, tags=["reports"])
    assert names_in(reports) == before
    train(project)
    assert "baselines.json" not in names_in(reports)
