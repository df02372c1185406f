"""Several pipelines in one command: `kedro run --pipelines=dbn,mlp`."""

import mlflow
import pytest

from layerwise.inference import ModelError
from layerwise.parameters import ParameterError
from layerwise.tracking import find_model

NAME = "several"


@pytest.fixture(scope="module")
def together(project):
    """The id of a run of both, each also run alone for comparison."""
    for pipeline in ("dbn", "mlp"):
        project.run(pipeline, env="forest_fires_size", problem={"name": f"{NAME}_{pipeline}"})
    # Kedro hands the names on in no order.
    project.run(["mlp", "dbn"], env="forest_fires_size", problem={"name": NAME})
    run_id, status = project.last_run()
    assert status == "FINISHED"
    return run_id


def last_metrics(project, run_id):
    return dict(project.query("select key, value from latest_metrics where run_uuid=?", run_id))


def run_of(project, experiment):
    (found,) = project.query(
        "select run_uuid, r.name from runs r join experiments e using (experiment_id) where e.name=?",
        experiment,
    )
    return found


def test_one_run_holds_both_and_is_named_after_both(project, together):
    assert run_of(project, NAME) == (together, "dbn+mlp")


@pytest.mark.parametrize("pipeline", ["dbn", "mlp"])
def test_each_has_the_metrics_and_the_files_of_its_own_run(project, together, pipeline):
    alone, _ = run_of(project, f"{NAME}_{pipeline}")
    expected = {k: v for k, v in last_metrics(project, alone).items() if "second" not in k}
    found = last_metrics(project, together)
    assert {"train/loss", "test/error"} <= set(expected)
    assert {name: found[f"{pipeline}/{name}"] for name in expected} == expected
    assert not set(expected) & set(found)
    for path in ("08_reporting/{}/{}/metrics.json", "07_model_output/{}/{}/test_predictions.csv"):
        own, other = (
            (project.path / "data" / path.format(name, pipeline)).read_bytes()
            for name in (NAME, f"{NAME}_{pipeline}")
        )
        assert own == other


def test_the_artifacts_of_each_have_a_folder(project, together):
    client = mlflow.MlflowClient(f"sqlite:///{project.path}/mlflow.db")
    for folder in (
        "dbn/figures",
        "mlp/figures",
        "outputs/dbn/07_model_output",
        "outputs/mlp/07_model_output",
    ):
        assert client.list_artifacts(together, folder), folder
    paths = {each.path for each in client.list_artifacts(together, "mlp")}
    assert "mlp/model_card.md" in paths


def test_both_models_are_registered_and_a_reference_to_the_run_asks_which_one(project, together):
    uri = f"sqlite:///{project.path}/mlflow.db"
    client = mlflow.MlflowClient(uri)
    versions = client.search_model_versions(f"name='{NAME}'")
    assert sorted(version.tags["pipeline"] for version in versions) == ["dbn", "mlp"]
    for version in versions:
        manifest = find_model(f"{NAME}/{version.version}", uri).manifest
        assert (manifest.pipeline, manifest.run_id) == (version.tags["pipeline"], together)
    with pytest.raises(ModelError, match=r"m-\w+ \(dbn_model\), m-\w+ \(dbn_stack\), m-\w+ \(mlp_model\)$"):
        find_model(together, uri)
    ids = [each.model_id for each in client.get_run(together).outputs.model_outputs]
    assert {find_model(each, uri).manifest.pipeline for each in ids} == {"dbn", "mlp"}


@pytest.mark.parametrize("name", ["predict", "evaluate"])
def test_what_takes_its_problem_from_a_model_runs_alone(project, name):
    with pytest.raises(ParameterError, match=f"run --pipelines={name} in a command of its own, and dbn in"):
        project.run(["dbn", name])
