import sys

import numpy as np
import pandas as pd
import pytest
from kedro.framework.session import KedroSession
from kedro.io import DatasetError
from pydantic import ValidationError

from layerwise.cli import show_user_errors_as_messages
from layerwise.data import SplitSettings
from layerwise.models.rbm import RBMConfig
from layerwise.parameters import ParameterError, check_parameters
from layerwise.pipeline_registry import UnknownPipelineError
from layerwise.tracking.runs import TrackingError
from layerwise.training import TrainingError
from layerwise.training.gan.settings import TableSettings
from layerwise.utils import FolderError, nearest

CHURN = {
    "RowNumber": 1,
    "CustomerId": 1,
    "Surname": "a",
    "CreditScore": 600,
    "Geography": "France",
    "Gender": "Male",
    "Age": 40,
    "Tenure": 3,
    "Balance": 0.0,
    "NumOfProducts": 1,
    "HasCrCard": 1,
    "IsActiveMember": 1,
    "EstimatedSalary": 1000.0,
}


def churn_like(n=80):
    """A table with the columns of the churn problem, made here."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame([CHURN] * n)
    table["Age"] = rng.integers(18, 90, n)
    table["Geography"] = rng.choice(["France", "Spain"], n)
    return table.assign(Exited=np.arange(n) % 2)


@pytest.fixture
def table_project(project):
    """A problem `guarded` of the shared project that reads a table which the test writes."""
    folder = project.path / "conf/guarded"
    folder.mkdir(exist_ok=True)
    (folder / "catalog.yml").write_text(
        "raw:\n  type: layerwise.datasets.SourceTable\n  path: data/01_raw\n"
        "  file:\n    name: guarded.csv\n  validator: layerwise.data.schemas.CHURN\n"
    )
    (folder / "parameters.yml").write_text(
        "problem:\n  name: guarded\n  task: binary\n  target: Exited\n"
        "  drop: [RowNumber, CustomerId, Surname]\n"
    )

    def run(table, **params):
        table.to_csv(project.path / "data/01_raw/guarded.csv", index=False)
        return project.run("mlp", env="guarded", **params)

    return run


def test_a_right_table_runs_and_each_of_its_test_rows_is_predicted(table_project, project):
    table_project(churn_like())
    assert project.last_run()[1] == "FINISHED"
    n_test = len(project.json("04_feature/guarded/mlp/split.json")["test"])
    predictions = pd.read_csv(project.path / "data/07_model_output/guarded/mlp/test_predictions.csv")
    assert len(predictions) == n_test > 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.drop(columns="Age"), "Age"),
        (lambda t: t.assign(Exited=1), "one class"),
        (lambda t: t.assign(Age=t["Age"].astype(object).where(t.index != 3, "old")), "Age.*number, not text"),
        (lambda t: t.assign(Balance=t["Balance"].where(t.index != 3, np.inf)), "Balance.*finite"),
        (lambda t: t.assign(Exited=t["Exited"].where(t.index != 3, 2)), "Exited.*0 or 1"),
        (lambda t: t.assign(Exited=t["Exited"].astype(float).where(t.index != 3)), "Exited"),
        (lambda t: t.head(4), "too few|cannot be drawn"),
        (lambda t: t.assign(HasCrCard=t["Exited"]), "decided by one column.*HasCrCard"),
    ],
)
def test_a_wrong_table_is_refused_before_training_in_words(table_project, change, message):
    with pytest.raises(Exception, match=f"(?s){message}"):
        table_project(change(churn_like()))


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"finetuning": {"epoch": 3}}, "unknown parameter 'epoch'; did you mean 'epochs'"),
        ({"mlp": {"epochs": 3}}, "mlp: unknown parameter 'epochs'; did you mean finetuning.epochs\\?$"),
        ({"sae": {"epochs": 3}}, "did you mean pretraining.epochs or finetuning.epochs\\?$"),
        ({"pretraining": {"hidden_sizes": [3]}}, "did you mean dbn.hidden_sizes or sae.hidden_sizes"),
        ({"gan": {"lr": 0.1}}, "did you mean gan.generator_learning_rate"),
        ({"gan": {"n_critic": 2}}, "unknown parameter 'n_critic'; did you mean gan.discriminator_steps"),
        ({"epochs": 3}, "unknown parameter 'epochs'; did you mean one of .*finetuning.epochs"),
        ({"lr": 3}, "unknown parameter 'lr'; did you mean one of .*finetuning.learning_rate"),
        ({"rbm": {"lr": 0.1}}, "rbm: unknown parameter 'lr'; did you mean rbm.learning_rate\\?$"),
        ({"rbm": {"hidden_units": 5}}, "did you mean rbm.n_hidden\\?$"),
        ({"autoencoder": {"latent_dim": 5}}, "did you mean autoencoder.latent_size\\?$"),
        ({"mlp": {"random_state": 5}}, "did you mean seed\\?$"),
        ({"finetunig": {"epochs": 3}}, "unknown parameter 'finetunig'; did you mean 'finetuning'"),
        ({"finetuning": {"epochs": "many"}}, "finetuning.epochs: .*integer.*given: 'many'"),
        ({"finetuning": {"dropout": 1.5}}, "finetuning.dropout: .*less than 1"),
        ({"finetuning": {"optimizer": "adm"}}, "finetuning.optimizer: .*'adam'"),
        ({"dbn": {"hidden_sizes": [10, 0]}}, "dbn.hidden_sizes.1: .*greater than 0"),
        ({"problem": {"name": "a/b"}}, "problem.name"),
        ({"rbm": {"temperatures": 7}}, "rbm: chain: null has no use for temperatures"),
        (
            {"pretraining": {"centered": False, "offset_rate": 0.5}},
            "pretraining: centered: false has no use for offset_rate",
        ),
        ({"rbm": {"likelihood": {"method": "exact", "chains": 9}}}, "method: exact has no use for chains"),
        ({"rbm": {"patience": 3}}, "rbm.patience is for an rbm.monitor"),
        ({"seed": -1}, "seed: .*greater than or equal to 0"),
        ({"seed": 1, "pretraining": {"method": "rmb"}, "mlpp": {}}, "mlpp.*pretraining.method"),
    ],
)
def test_every_wrong_parameter_is_named_before_anything_runs(project, params, message):
    with pytest.raises(ParameterError, match=message):
        project.run("dbn", **params)


def test_all_wrong_parameters_come_in_one_message(project):
    with project.session() as session:
        right = dict(session.load_context().config_loader["parameters"])
    with pytest.raises(ParameterError, match=r"sed.*split") as caught:
        check_parameters(right | {"sed": 1, "split": {"test_fraction": 2}})
    assert str(caught.value).count(";") >= 1
    assert check_parameters(right)["finetuning"].epochs == 3


@pytest.mark.parametrize(
    ("task", "finetuning", "message"),
    [
        (
            "regression",
            {"label_smoothing": 0.1},
            "label_smoothing is for classes, and the task is regression",
        ),
        ("regression", {"class_weights": "balanced"}, "class_weights is for classes"),
        ("regression", {"monitor": "validation/accuracy"}, "a regression task has no validation/accuracy"),
        ("regression", {"resampling": "oversample"}, "resampling is for classes, and the task is regression"),
        ("multilabel", {"label_smoothing": 0.1}, ""),
    ],
)
def test_settings_of_classes_are_refused_on_a_regression_before_anything_runs(
    project, task, finetuning, message
):
    with project.session() as session:
        right = dict(session.load_context().config_loader["parameters"])
    table = {"name": "table", "task": task, "target": ["y", "z"] if task == "multilabel" else "y"}
    given = right | {"problem": table, "finetuning": finetuning}
    if message:
        with pytest.raises(ParameterError, match=message):
            check_parameters(given)
    else:
        assert check_parameters(given)["finetuning"].label_smoothing == 0.1


def test_an_unknown_pipeline_or_environment_gets_the_nearest_name(project):
    with pytest.raises(UnknownPipelineError, match="unknown pipeline 'dbnn'; did you mean 'dbn'"):
        project.run("dbnn")
    with pytest.raises(
        ParameterError, match="unknown environment 'forest_fire'; did you mean 'forest_fires'"
    ):
        project.run("dbn", env="forest_fire")


def test_a_batch_larger_than_the_data_is_refused_before_pretraining(project):
    for section in ("pretraining", "finetuning"):
        with pytest.raises(ValueError, match=rf"{section}\.batch_size is 9999, but .* 3600 training rows"):
            project.run("dbn", **{section: {"batch_size": 9999}})


def test_a_list_too_short_for_the_stack_is_refused_before_the_first_layer(project):
    with pytest.raises(TrainingError, match=r"pretraining\.epochs has 1 value.*layer 2"):
        project.run("dbn", pretraining={"epochs": [2]})


def test_a_missing_file_is_named_with_its_sha256_and_place(project, monkeypatch):
    # No address answers here: every name resolves to a port where nobody listens.
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    with pytest.raises(
        DatasetError, match=r"(?s)churn/Churn_Modelling.csv.*3996cd1f.*put it at.*LAYERWISE_DATA"
    ):
        project.run("dbn", env="churn")


def test_an_unwritable_data_folder_is_said_before_the_run_starts(fresh_project):
    import shutil

    shutil.rmtree(fresh_project.path / "data")
    (fresh_project.path / "data").write_text("in the way")
    (fresh_project.path / "mlflow.db").unlink()
    with pytest.raises(FolderError, match="cannot be written"):
        fresh_project.run("dbn")
    assert not (fresh_project.path / "mlflow.db").exists()


def test_an_unreachable_tracking_server_is_said_before_anything_runs(fresh_project, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    with pytest.raises(TrackingError, match=r"http://127.0.0.1:9 cannot be used.*unset MLFLOW_TRACKING_URI"):
        fresh_project.run("dbn")
    assert not list((fresh_project.path / "data").glob("0[4-8]*"))


def test_only_messages_for_the_user_lose_their_traceback(monkeypatch, capsys):
    seen = []
    monkeypatch.setattr(sys, "excepthook", lambda *error: seen.append(error))
    show_user_errors_as_messages()
    show_user_errors_as_messages()
    sys.excepthook(ParameterError, ParameterError("wrong [parameters]"), None)
    assert capsys.readouterr().err.strip() == "Error: wrong [parameters]"
    with pytest.raises(ValidationError) as refused:
        RBMConfig(n_visible=-1, n_hidden=3)
    sys.excepthook(ValidationError, refused.value, None)
    assert (
        capsys.readouterr().err.strip()
        == "Error: RBMConfig: n_visible: Input should be greater than or equal to 1"
    )
    assert seen == []
    defect = KeyError("a defect")
    sys.excepthook(KeyError, defect, None)
    assert seen == [(KeyError, defect, None)]


def test_the_nearest_name_or_all_names_are_suggested():
    assert nearest("epoch", ["epochs", "rate"]) == "; did you mean 'epochs'?"
    assert nearest("zzz", ["b", "a"]) == "; known: a, b"


def test_a_session_without_a_run_is_checked_too(project):
    assert isinstance(project.session(), KedroSession)
    with project.session(seed="x") as session, pytest.raises(ParameterError, match="seed"):
        session.load_context()


def test_a_run_without_an_environment_takes_the_digits(project):
    with project.session() as session:
        context = session.load_context()
        assert context.params["problem"].name == "digits"
        assert context.params["finetuning"].label_smoothing == 0.1
        assert len(context.catalog.load("raw").pixels) == 5000


def test_an_environment_has_to_say_its_problem(project):
    with (
        project.session("base") as session,
        pytest.raises(ParameterError, match=r"problem\.name: every problem"),
    ):
        session.load_context()


def test_a_key_with_nothing_under_it_takes_the_defaults(project):
    folder = project.path / "conf/hollow"
    folder.mkdir()
    (folder / "parameters.yml").write_text(
        "problem:\n  name: hollow\n  task: binary\nsplit:\ncheckpoints:\npredict:\ngan:\n  table:\n"
    )
    with project.session("hollow") as session:
        context = session.load_context()
        assert context.params["split"] == SplitSettings()
        assert context.params["gan"].table == TableSettings()
        assert context.config_loader["parameters"]["predict"]["chunk_rows"] == 20_000
        assert context.params["finetuning"].label_smoothing == 0  # the digits' own does not reach others
