import numpy as np
import pandas as pd
import pytest
from helpers.model_doors import answers, assert_same_numbers, from_http, registered
from helpers.tables import saved, table

from layerwise.inference import AskedModel
from layerwise.inference.tasks import TaskError, answer_rows
from layerwise.parameters import TaskSettings

ASKED = TaskSettings(task="explain", samples=8, seed=0)


@pytest.fixture(scope="module")
def predictor(project):
    """A network of a table, registered as `asked_fires`; return its raw rows' file."""
    project.run("mlp", env="forest_fires_size", problem={"name": "asked_fires"}, refit=False)
    return project.path / "data/01_raw/forest_fires/forestfires_uci.csv"


def test_every_door_explains_the_same(project, predictor):
    rows = pd.read_csv(predictor).head(20)
    file = project.path / "twenty.csv"
    rows.to_csv(file, index=False)
    found = answers(project, "asked_fires", file, rows, task="explain", samples=4, seed=1)
    assert_same_numbers(found)
    own = found["pyfunc"]
    predicted = answer_rows(registered(project, "asked_fires"), rows, TaskSettings())
    name = own["explained"][0]
    np.testing.assert_allclose(own["answer"], predicted[f"probability_{name}"], atol=1e-7)
    contributions = own.filter(like="contribution_")
    assert contributions.shape[1] == 12
    np.testing.assert_allclose(contributions.sum(axis=1), own["answer"] - own["base"], atol=1e-6)


PROBLEMS = {
    "binary": {"task": "binary", "target": "left", "positive": "yes", "drop": ["a", "b", "cost"]},
    "multiclass": {"task": "multiclass", "target": "city", "drop": ["a", "b", "cost"]},
    "regression": {"task": "regression", "target": "cost", "drop": ["a", "b"]},
    "multilabel": {"task": "multilabel", "target": ["a", "b"], "drop": ["cost"]},
}


@pytest.mark.parametrize("task", PROBLEMS)
def test_contributions_add_up_in_the_units_of_the_answer(task, tmp_path):
    frame = table()
    model = saved(tmp_path, frame, **PROBLEMS[task])
    found = answer_rows(model, frame.head(30), ASKED)
    predicted = model.predict(frame.head(30))
    starts = ["a_", "b_"] if task == "multilabel" else [""]
    for start in starts:
        values = found.filter(regex=f"^{start}contribution_")
        assert values.shape[1] > 5
        expected = found[f"{start}answer"] - found[f"{start}base"]
        np.testing.assert_allclose(values.sum(axis=1), expected, rtol=0, atol=1e-6)
        assert float(values.abs().max().max()) > 0
    match task:
        case "binary":
            assert set(found["explained"]) == {"yes"}
            np.testing.assert_allclose(found["answer"], predicted["probability_yes"], atol=1e-7)
        case "multiclass":
            assert found["explained"].tolist() == predicted["prediction"].tolist()
            np.testing.assert_allclose(
                found["answer"], predicted.filter(like="probability_").max(axis=1), atol=1e-7
            )
        case "regression":
            np.testing.assert_allclose(found["answer"], predicted["prediction"], rtol=1e-6)
        case "multilabel":
            np.testing.assert_allclose(found["b_answer"], predicted["probability_b"], atol=1e-7)


def test_a_column_that_the_network_does_not_read_contributes_nothing(tmp_path):
    frame = table()
    model = saved(tmp_path, frame, **PROBLEMS["binary"])
    weight = model.network.state_dict()[next(iter(model.network.state_dict()))]
    columns = {block.name: block for block in model.columns.blocks}
    first = next(
        p for name, p in model.network.named_parameters() if p.dim() == 2 and p.shape[1] == weight.shape[1]
    )
    first.data[:, columns["age"].start : columns["age"].stop] = 0
    found = answer_rows(model, frame.head(10), ASKED)
    assert float(found["contribution_age"].abs().max()) < 1e-12
    assert float(found["contribution_score"].abs().max()) > 1e-6


def test_a_row_has_the_same_contributions_beside_any_others(tmp_path):
    frame = table()
    model = saved(tmp_path, frame, **PROBLEMS["binary"])
    together = answer_rows(model, frame.head(40), ASKED)
    alone = answer_rows(model, frame.iloc[17:18], ASKED)
    assert (alone.iloc[0] == together.iloc[17]).all()


def test_networks_without_targets_explain_nothing(project, fires):
    with pytest.raises(TaskError, match=r"has no task explain; its tasks: encode"):
        answer_rows(registered(project, "asked.rbm"), fires.head(2), ASKED)


def test_a_wrong_row_is_refused_and_the_others_are_explained(project, predictor):
    rows = pd.read_csv(predictor).head(3).astype({"temp": object})
    rows.loc[1, "temp"] = "warm"
    status, response = from_http(registered(project, "asked_fires"), rows, task="explain", samples=2)
    assert status == 200
    assert response["predictions"][1] == {"error": "temp is a number, and holds 'warm'"}
    assert "contribution_temp" in response["predictions"][2]
    assert response["seed"] >= 0


def test_a_loaded_model_explains(tmp_path):
    frame = table()
    model = saved(tmp_path, frame, **PROBLEMS["binary"])
    found = AskedModel(model).explain(frame.head(5), samples=8, seed=0)
    pd.testing.assert_frame_equal(found, answer_rows(model, frame.head(5), ASKED))
