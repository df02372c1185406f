"""Objects and lists within the rows of JSON: trained on, and asked at every door."""

import json

import numpy as np
import pandas as pd
import pytest
from helpers import doors

from layerwise.data import Problem
from layerwise.data.reading import ReadingSettings
from layerwise.inference.serving import handle_request

N = 60


def nested():
    rng = np.random.default_rng(0)
    return [
        {
            "user": {"age": int(20 + k), "home": {"country": ["DE", "FR", "IT"][k % 3]}},
            "tags": ["new", "old", "big"][: 1 + k % 3],
            "score": round(float(rng.normal()), 3),
            "clicked": bool(rng.random() > 0.5),
        }
        for k in range(N)
    ]


FORMS = {
    "lines": lambda rows: "".join(json.dumps(row) + "\n" for row in rows),
    "array": json.dumps,
    "data": lambda rows: json.dumps({"status": "ok", "data": rows}, indent=1),
}


@pytest.fixture(scope="module", params=FORMS)
def trained(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    path = folder / "rows.json"
    path.write_text(FORMS[request.param](nested()))
    problem = Problem(name="nested", task="binary", target="clicked", reading=ReadingSettings())
    model, _ = doors.train(path, folder / "model", problem)
    return model, path, doors.by_predict(model, path)


def ask(model, body):
    text, status, _ = handle_request(model, json.dumps(body).encode(), "application/json")
    return status, json.loads(text)


def test_objects_are_columns_named_by_their_path_and_lists_are_words(trained):
    model, _, answers = trained
    assert set(model.raw_names) == {"user.age", "user.home.country", "tags", "score"}
    assert len({answer["probability_True"] for answer in answers}) > N / 2


def test_flat_cells_get_the_same_answers_at_every_door(trained):
    model, path, answers = trained
    assert doors.by_http_json(model, path) == answers
    assert doors.by_http_split(model, path) == answers
    assert doors.by_pyfunc(model, path, range(N)) == answers
    assert doors.by_evaluate(model, path) == (answers, 0)


@pytest.mark.parametrize("form", ["dataframe_records", "instances"])
def test_a_request_may_send_the_rows_as_they_are(trained, form):
    model, _, answers = trained
    status, found = ask(model, {form: nested()})
    assert status == 200, found
    assert [row["probability_True"] for row in found["predictions"]] == [
        answer["probability_True"] for answer in answers
    ]


def test_a_flat_file_is_answered_like_the_nested_one(trained, tmp_path):
    model, _, answers = trained
    flat = pd.json_normalize(nested())
    flat["tags"] = flat["tags"].map(json.dumps)
    flat.to_json(tmp_path / "flat.jsonl", orient="records", lines=True)
    assert doors.by_predict(model, tmp_path / "flat.jsonl") == answers


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"score": [1.0]}, "column 'score': a cell is a number, text, true, false or null"),
        (
            {"user": {"age": 1, "home": {}, "orders": [{"n": 1}]}},
            "row 0: 'user.orders' holds a list of objects",
        ),
        ({"tags": [{"n": 1}]}, "row 0: 'tags' holds a list of objects"),
        ({"user": 3}, "missing input column"),
    ],
)
def test_rows_that_are_nested_otherwise_are_refused_with_what_is_wrong(trained, change, words):
    status, found = ask(trained[0], {"dataframe_records": [nested()[0] | change]})
    assert status == 400
    assert words in found["message"]
