"""`kedro problem new` and `kedro problem check`, and the commands that come next."""

import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import yaml
from click.testing import CliRunner
from helpers.remote_files import empty_memory_store
from kedro.framework.startup import bootstrap_project

from layerwise.cli import cli
from layerwise.inference import ModelError


def table(n=150):
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=n).round(3), rng.normal(size=n).round(3)
    noise = rng.normal(size=n) / 2
    return pd.DataFrame(
        {
            "id": [f"K{k:04}" for k in range(n)],
            "a": a,
            "b": np.where(np.arange(n) % 15 == 0, "?", b.astype(str)),
            "city": np.where(np.arange(n) % 3, "Rome", "Oslo"),
            "kept": np.where(a + b + noise > 0, "yes", "no"),
        }
    )


@pytest.fixture
def command(fresh_project):
    """Call a command of the project, as Kedro's command line does."""

    def call(*arguments):
        found = CliRunner().invoke(
            cli, ["problem", *map(str, arguments)], obj=bootstrap_project(fresh_project.path)
        )
        return found.exit_code, found.output

    table().to_csv(fresh_project.path / "shop.csv", index=False)
    return call


def test_a_problem_of_a_file_elsewhere_names_its_address(command, fresh_project, monkeypatch):
    store = empty_memory_store(fresh_project.path, monkeypatch)
    store.pipe("/bucket/raw/shop.csv", (fresh_project.path / "shop.csv").read_bytes())
    code, said = command("new", "shop", "memory://bucket/raw/shop.csv", "--target", "kept")
    assert code == 0, said
    assert "predict.input=memory://bucket/raw/shop.csv" in said
    entry = yaml.safe_load((fresh_project.path / "conf/shop/catalog.yml").read_text())["raw"]
    assert (entry["path"], entry["file"]) == ("memory://bucket/raw", {"name": "shop.csv"})
    assert (
        "memory://bucket/raw/shop.csv"
        in (fresh_project.path / "data/08_reporting/shop/profile.html").read_text()
    )
    code, said = command("check", "shop")
    assert code == 0, said
    assert "108 training, 12 validation, 30 test rows" in said
    code, said = command("new", "other", "memory://bucket/raw/none.csv")
    assert (code, said) == (1, "Error: memory://bucket/raw/none.csv is not there\n")


def test_a_new_problem_is_written_checked_and_runs_to_predictions_of_its_own_file(command, fresh_project):
    (fresh_project.path / "mlflow.db").unlink()
    code, said = command("new", "shop", "shop.csv", "--target", "kept")
    assert code == 0, said
    for text in ("kedro problem check shop", "--env=shop", "predict.input=shop.csv", "drop ['id']"):
        assert text in said
    assert (fresh_project.path / "data/08_reporting/shop/profile.html").is_file()
    code, said = command("check", "shop")
    assert code == 0, said
    assert "108 training, 12 validation, 30 test rows" in said
    assert "Nothing is wrong" in said
    assert not (fresh_project.path / "mlflow.db").exists()
    assert not (fresh_project.path / "data/04_feature").exists()
    fresh_project.run("mlp", env="shop", finetuning={"batch_size": 20})
    assert fresh_project.last_run()[1] == "FINISHED"
    given = {"model": "shop@champion", "input": "shop.csv", "output": "answers.csv"}
    fresh_project.run("predict", predict=given)
    answers = pd.read_csv("answers.csv")
    assert len(answers) == 150
    assert answers["error"].isna().all()
    assert (answers["prediction"] == answers["kept"]).mean() > 0.7


def test_the_commands_for_ratings_lead_to_recommendations(command, fresh_project):
    rng = np.random.default_rng(0)
    ratings = pd.DataFrame({"user": np.repeat(range(30), 8), "item": rng.integers(0, 15, 240)})
    ratings["rating"] = rng.integers(1, 6, 240)
    ratings.to_csv(fresh_project.path / "films.csv", index=False)
    code, said = command("new", "films", "films.csv")
    assert code == 0, said
    parameters = re.search(r"--pipelines=predict --params=(.*)", said)[1]
    given = dict(each.removeprefix("predict.").split("=") for each in parameters.split(","))
    fresh_project.run("rbm", env="films", rbm={"epochs": 2, "n_hidden": 4})
    fresh_project.run("predict", predict=given | {"output": "films_answers.csv"})
    assert set(pd.read_csv("films_answers.csv")["user"]) <= set(range(30))
    with pytest.raises(ModelError, match=r"no model is registered as 'films'.*'films\.rbm'"):
        fresh_project.run("predict", predict=given | {"model": "films@champion"})


def test_a_problem_that_is_there_and_a_file_that_is_not_are_one_line(command):
    assert command("new", "churn", "shop.csv")[1].startswith("Error: conf/churn is there already")
    code, said = command("new", "mine", "missing.csv")
    assert code == 1
    assert said.startswith("Error: there is no file")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("target: kept", "target: keptt", "keptt.*did you mean 'kept'"),
        ("task: binary", "task: regression", "positive is for a binary task"),
        ("drop: [id]", "dropp: [id]", "unknown parameter 'dropp'; did you mean 'drop'"),
        ("positive: 'yes'", "positive: maybe", "'maybe' is no class"),
        ("name: shop.csv", "name: shap.csv", "shap.csv is not here"),
    ],
)
def test_what_was_edited_wrongly_is_said(command, fresh_project, old, new, message):
    assert command("new", "shop", "shop.csv", "--target", "kept")[0] == 0
    for name in ("parameters.yml", "catalog.yml"):
        path = fresh_project.path / "conf/shop" / name
        path.write_text(path.read_text().replace(old, new))
    code, said = command("check", "shop")
    assert code == 1
    assert re.search(message, said), said


def test_a_problem_that_is_not_there_is_named_with_the_nearest(command):
    code, said = command("check", "chrn")
    assert (code, said) == (1, "Error: there is no conf/chrn/parameters.yml; did you mean 'churn'?\n")


@pytest.mark.slow
def test_the_commands_work_from_the_command_line(command, fresh_project):
    run = [sys.executable, "-m", "kedro"]
    for arguments in (["problem", "new", "shop", "shop.csv"], ["problem", "check", "shop"]):
        done = subprocess.run(
            [*run, *arguments], cwd=fresh_project.path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
    assert "Nothing is wrong with conf/shop" in done.stdout
