"""Questions that a model has no answer to, each refused with one sentence that names the thing and the mend."""

import json

import pandas as pd
import pytest
from helpers.small_models import small_model
from pydantic import ValidationError

from layerwise.inference import AskedModel
from layerwise.inference.serving import handle_request
from layerwise.inference.tasks import TaskError, answer_rows
from layerwise.parameters import PredictSettings, TaskSettings


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    kinds = ("mlp", "rbm", "autoencoder", "gan")
    return {kind: small_model(tmp_path_factory.mktemp(kind), "mixed", kind) for kind in kinds}


def post(small, records=None, **params):
    body = {"params": params} | ({} if records is None else {"dataframe_records": records})
    text, status, _ = handle_request(small.model, json.dumps(body), "application/json")
    found = json.loads(text)
    return status, found.get("predictions", found.get("message"))


def records(small, n=2):
    return json.loads(small.rows.head(n).to_json(orient="records"))


def test_a_condition_that_only_a_later_record_names_is_one(models):
    status, found = post(models["gan"], [{"city": "rome"}, {"left": "yes"}], task="sample", seed=1)
    assert (status, found[0]["city"], found[1]["left"]) == (200, "rome", "yes")
    # By the seed some row of these is drawn with the other value, if the condition is forgotten.
    _, found = post(models["gan"], [{"city": "rome"}, *[{"left": "no"}] * 20], task="sample", seed=1)
    assert {each["left"] for each in found[1:]} == {"no"}


def test_a_misspelt_condition_costs_its_record_alone_wherever_it_stands(models):
    reason = "there is no column 'citty'; did you mean 'city'?"
    for given in ([{"city": "rome"}, {"citty": "rome"}], [{"citty": "rome"}, {"city": "rome"}]):
        status, found = post(models["gan"], given, task="sample", seed=1)
        assert status == 200
        wrong, right = found[::-1] if "city" in given[0] else found
        assert (wrong, right["city"]) == ({"error": reason}, "rome")


def test_a_misspelt_column_of_one_record_is_no_empty_cell(models):
    first, second = records(models["mlp"])
    second["incomme"] = second.pop("income")  # which has gaps in training, and would be imputed
    status, found = post(models["mlp"], [first, second], task="predict")
    assert status == 200
    assert found[1] == {"error": "there is no column 'incomme'; did you mean 'income'?"}
    first["customer"] = 17  # another column is none of its business
    assert "error" not in post(models["mlp"], [first], task="predict")[1][0]


@pytest.mark.parametrize(("kind", "given"), [("rbm", {"city": "rome"}), ("gan", {"city": "rome"})])
def test_n_beside_given_rows_is_refused_with_what_to_do(models, kind, given):
    status, found = post(models[kind], [given], task="sample", n=5)
    assert status == 400
    assert found == "each given row is drawn once, and n has no use: leave n out, or give a row n times"
    with pytest.raises(TaskError, match="leave n out"):
        answer_rows(models[kind].model, pd.DataFrame([given]), TaskSettings(task="sample", n=5))
    asked = AskedModel(models[kind].model)
    steps = {"steps": 2} if kind == "rbm" else {}
    assert asked.sample(5, given=given, seed=1, **steps)["city"].tolist() == ["rome"] * 5
    assert len(asked.sample(5, given=pd.DataFrame([given] * 3), seed=1, **steps)) == 3


def test_steps_of_a_network_that_takes_none_are_refused(models):
    sentence = "this network draws a row at once, and has no use for steps"
    for kind in ("gan", "autoencoder"):
        assert post(models[kind], task="sample", steps=7) == (400, sentence)
    assert post(models["autoencoder"], [{"city": "rome"}], task="sample", steps=7)[0] == 200


def test_no_rows_are_said_to_be_missing(models):
    assert post(models["rbm"], [], task="encode") == (400, "the task encode needs rows")


def test_what_would_hold_up_the_server_is_refused_before_it_begins(models, monkeypatch):
    assert post(models["rbm"], task="sample", n=60_000)[0] == 413
    assert (
        "steps: Input should be less than or equal to 100000"
        in post(models["rbm"], task="sample", steps=10**9)[1]
    )
    monkeypatch.setattr("layerwise.inference.serving.responses.MAX_PRODUCTS", 10**6)
    status, found = post(models["rbm"], task="sample", n=2000, steps=9000)
    assert status == 413
    assert found == (
        "2,000 rows with steps 9,000 are too much for one request; ask for less steps, fewer rows, or the pipeline "
        "predict"
    )
    rows = records(models["mlp"])
    assert post(models["mlp"], rows, task="explain", samples=10_000)[0] == 413
    assert post(models["mlp"], rows, task="explain", samples=4)[0] == 200
    assert post(models["rbm"], task="sample", n=5, steps=3)[0] == 200


def test_a_class_that_is_a_number_may_come_as_one():
    assert PredictSettings(label=3).label == "3"
    with pytest.raises(ValidationError):
        PredictSettings(label=True)


def test_a_condition_on_the_target_is_not_left_out_silently(models):
    given = [{"city": "rome", "left": "yes"}]
    sentence = "left is the target, and no column that this network draws: leave it out"
    label = ", or say label, the left of all rows"
    assert post(models["rbm"], given, task="sample", steps=2) == (400, sentence + label)
    assert post(models["autoencoder"], given, task="sample", steps=2) == (400, sentence)
    with pytest.raises(TaskError, match=sentence):
        AskedModel(models["rbm"].model).sample(2, given=given[0])
    assert post(models["gan"], given, task="sample")[1][0]["left"] == "yes"
    found = post(models["rbm"], [{"city": "rome", "left": None}], task="sample", steps=2, label="yes")
    assert (found[0], found[1][0]["city"]) == (200, "rome")
