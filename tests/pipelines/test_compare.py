import mlflow
import numpy as np
import pandas as pd
import pytest
import torch
from click.testing import CliRunner
from helpers.killed_runs import OFTEN, killed_after

from layerwise.cli import compare
from layerwise.cli.compare import minutes
from layerwise.inference import load_trained_model

QUICK = {"split": {"folds": 3}, "finetuning": {"epochs": 2}, "pretraining": {"epochs": 1}}


@pytest.fixture(scope="module")
def compared(project):
    project.run("compare", env="forest_fires", problem={"name": "compared"}, **QUICK)
    return project


def standings(project, name="compared"):
    return project.json(f"08_reporting/{name}/compare/leaderboard.json")["standings"]


def test_every_model_is_measured_on_the_same_folds(compared):
    found = standings(compared)
    assert sorted(each["model"] for each in found) == ["boosting", "dbn", "forest", "linear", "mlp", "sae"]
    sizes = {tuple((f["name"], f["n_test"]) for f in each["folds"]) for each in found}
    assert len(sizes) == 1
    means = [each["statistics"]["rmse"]["mean"] for each in found]
    assert means == sorted(means)


def test_a_models_folds_are_those_of_its_own_cross_validation(compared):
    compared.run(
        "linear",
        env="forest_fires",
        problem={"name": "alone"},
        to_nodes=["evaluation.cross_validate_linear"],
        **QUICK,
    )
    alone = compared.json("08_reporting/alone/linear/cross_validation.json")["folds"]
    beside = next(each for each in standings(compared) if each["model"] == "linear")["folds"]
    assert [each["metrics"] for each in alone] == [each["metrics"] for each in beside]


def test_each_model_is_a_run_below_the_run_and_the_page_is_with_it(compared):
    run_id, _ = compared.query(
        "select r.run_uuid, r.status from runs r join experiments e using (experiment_id) "
        "where e.name='compared' and r.name='compare'"
    )[0]
    children = compared.query(
        "select r.name from runs r join tags t using (run_uuid) where t.key='mlflow.parentRunId' and t.value=?",
        run_id,
    )
    assert len(children) == 6
    client = mlflow.MlflowClient(f"sqlite:///{compared.path}/mlflow.db")
    assert "leaderboard.html" in [each.path for each in client.list_artifacts(run_id)]


def test_a_limit_leaves_models_without_a_rank_and_two_folds_of_one(project):
    project.run(
        "compare",
        env="forest_fires",
        problem={"name": "limited"},
        compare={"models": ["linear", "boosting"], "max_minutes": 1e-4},
        **QUICK,
    )
    found = standings(project, "limited")
    assert max(len(each["folds"]) for each in found) == 2
    assert found[0]["rank"] == 1


@pytest.mark.parametrize("pipeline", ["linear", "boosting", "forest"])
def test_a_model_of_scikit_learn_is_registered_and_answers_as_its_test_predictions(project, pipeline):
    name = f"kept_{pipeline}"
    project.run(pipeline, env="forest_fires_size", problem={"name": name})
    model = load_trained_model(project.path / "data/06_models" / name / pipeline / "model")
    raw = pd.read_csv(project.path / "data/01_raw/forest_fires/forestfires_uci.csv")
    test = project.json(f"04_feature/{name}/{pipeline}/split.json")["test"]
    answers = model.predict(raw.iloc[test], strict=False)
    predictions = pd.read_csv(project.path / f"data/07_model_output/{name}/{pipeline}/test_predictions.csv")
    for column in predictions.filter(like="probability_"):
        np.testing.assert_allclose(answers[column], predictions[column], atol=1e-5)
    client = mlflow.MlflowClient(f"sqlite:///{project.path}/mlflow.db")
    version = client.get_model_version_by_alias(name, "champion")
    mlflow.set_tracking_uri(f"sqlite:///{project.path}/mlflow.db")
    served = mlflow.pyfunc.load_model(version.source).predict(raw.iloc[test])
    np.testing.assert_allclose(
        np.asarray(served.filter(like="probability_"), float),
        np.asarray(answers.filter(like="probability_"), float),
        atol=1e-6,
    )


def test_the_command_prints_the_standings_and_registers_the_first(project, caplog):
    from kedro.framework.startup import bootstrap_project

    metadata = bootstrap_project(project.path)
    arguments = [
        "forest_fires",
        "--models=linear,forest",
        "--folds=2",
        "--time-limit=5m",
        "--params=problem.name=commanded",
    ]
    done = CliRunner().invoke(compare, arguments, obj=metadata, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert "Workflow tracking is disabled" not in caplog.text
    first = standings(project, "commanded")[0]["model"]
    assert f"{first} is first: rmse" in done.output
    assert f"Now {first} is trained and registered" in done.output
    card = (project.path / f"data/08_reporting/commanded/{first}/model_card.md").read_text()
    rmse = standings(project, "commanded")[0]["statistics"]["rmse"]
    assert "Means over 2 networks" in card
    assert f"{rmse['mean']:.4f} [{rmse['low']:.4f}, {rmse['high']:.4f}]" in card
    client = mlflow.MlflowClient(f"sqlite:///{project.path}/mlflow.db")
    assert int(client.get_model_version_by_alias("commanded", "champion").version) == 1


def test_a_killed_comparison_goes_on_to_what_it_would_have_been(project):
    if torch.cuda.is_available():
        pytest.skip("its runs are forks")
    # 2 epochs of the network a fold: the third checkpoint is within its second fold.
    params = {"env": "forest_fires", "compare": {"models": ["linear", "mlp"]}, **QUICK}
    project.run("compare", problem={"name": "compare_whole"}, **params)
    assert killed_after(3, project, "compare", problem={"name": "compare_killed"}, **params) < 0
    project.run("compare", problem={"name": "compare_killed"}, checkpoints=OFTEN, resume=True, **params)
    whole, resumed = (standings(project, name) for name in ("compare_whole", "compare_killed"))
    for first, second in zip(whole, resumed, strict=True):
        assert first["model"] == second["model"]
        assert first["statistics"] == second["statistics"]


@pytest.mark.parametrize(
    ("text", "expected"), [("10m", 10), ("90s", 1.5), ("1h", 60), ("2", 2), ("1.5 h", 90)]
)
def test_a_time_limit_reads_as_minutes(text, expected):
    assert minutes(text) == pytest.approx(expected)


@pytest.mark.parametrize("text", ["ten", "0m", "-1m", "5d"])
def test_what_is_no_time_is_refused(text):
    import click

    with pytest.raises(click.BadParameter, match="10m, 90s or 1h is"):
        minutes(text)
