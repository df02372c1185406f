import json
import random
import string
import time

import numpy as np
import pytest

from layerwise.data.reading import Limits
from layerwise.inference.serving import handle_request

JSON = "application/json"


@pytest.fixture(scope="module")
def model(tmp_path_factory, tables):
    return tables.saved(tmp_path_factory.mktemp("model"), tables.table())


@pytest.fixture(scope="module")
def rows(tables):
    return tables.table().drop(columns=["left", "cost", "a", "b"]).head(3).replace({np.nan: None})


def respond(model, body, kind=JSON):
    text, status, content_type = handle_request(
        model, body if isinstance(body, bytes | str) else json.dumps(body), kind
    )
    assert content_type == JSON
    response = json.loads(text)
    for inside in ("Traceback", 'File "', "/src/", "site-packages", ".py"):
        assert inside not in text
    return status, response


def test_every_form_of_a_table_gets_the_same_predictions(model, rows):
    split = rows.to_dict(orient="split")
    records = rows.to_dict(orient="records")
    bodies = [
        {"dataframe_split": {"columns": split["columns"], "data": split["data"]}},
        {"dataframe_records": records},
        {"instances": records},
        {"inputs": rows.to_dict(orient="list")},
    ]
    responses = [respond(model, body) for body in bodies]
    responses.append(respond(model, rows.to_csv(index=False), "text/csv; charset=utf-8"))
    assert all(status == 200 for status, _ in responses)
    expected = model.predict(rows)["probability_yes"].tolist()
    for _, response in responses:
        assert [row["probability_yes"] for row in response["predictions"]] == pytest.approx(expected)


def test_blanks_around_the_names_of_a_table_are_left_out_as_in_a_file(model, rows):
    expected = respond(model, {"dataframe_records": rows.to_dict(orient="records")})
    named = rows.rename(columns={"age": " age", "city": "city "})
    split = named.to_dict(orient="split")
    for body in (
        {"dataframe_records": named.to_dict(orient="records")},
        {"dataframe_split": {"columns": split["columns"], "data": split["data"]}},
        {"inputs": named.to_dict(orient="list")},
    ):
        assert respond(model, body) == expected
    assert respond(model, named.to_csv(index=False), "text/csv") == expected
    both = [row | {"age": 40} for row in named.to_dict(orient="records")]
    assert respond(model, {"dataframe_records": both})[0] == 400


def row(rows, **changes):
    return {"dataframe_records": [rows.to_dict(orient="records")[0] | changes]}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"age": "old"}, "row 0: age is a number, and holds 'old'"),
        ({"age": None}, "age is empty"),
        ({"age": float("nan")}, "age is empty"),
        ({"age": 10**400}, "age is infinite"),
        ({"age": [1, 2]}, "a cell is a number, text, true, false or null"),
        ({"age": {"$gt": ""}}, "a cell is a number, text"),
        ({"age": "1; DROP TABLE runs"}, "age is a number"),
        ({"city": "' OR 1=1 --"}, "which training never saw"),
        ({"city": "x" * 100_000}, "which training never saw"),
        ({"since": "2020-13-45"}, "since is a date"),
    ],
)
def test_a_wrong_cell_is_named_with_its_row_and_column(model, rows, changes, words):
    status, response = respond(model, row(rows, **changes))
    assert status == 400
    assert words in response["message"]
    assert len(response["message"]) <= 2000


@pytest.mark.parametrize(
    ("body", "kind", "status", "words"),
    [
        ("", JSON, 400, "no JSON"),
        ("{", JSON, 400, "no JSON"),
        ("[]", JSON, 400, "JSON object with one of"),
        ("{}", JSON, 400, "JSON object with one of"),
        ("7" * 5000, JSON, 400, "endless number"),
        ("[" * 100_000, JSON, 400, "nested too deeply"),
        (b"\xff\xfe{}", JSON, 400, "UTF-8"),
        ('{"dataframe_split": 1}', JSON, 400, "'columns' and 'data'"),
        ('{"dataframe_split": {"columns": [1], "data": []}}', JSON, 400, "list of text"),
        ('{"dataframe_split": {"columns": ["age", "age"], "data": [[1, 2]]}}', JSON, 400, "twice"),
        ('{"dataframe_split": {"columns": ["age"], "data": [[1, 2]]}}', JSON, 400, "2 cells for 1 columns"),
        ('{"dataframe_split": {"columns": ["age"], "data": [7]}}', JSON, 400, "no list of cells"),
        ('{"dataframe_records": []}', JSON, 400, "no rows"),
        ('{"dataframe_records": [{}]}', JSON, 400, "missing input column"),
        ('{"dataframe_records": [{"Age": 1}]}', JSON, 400, "did you mean"),
        ('{"inputs": {"age": [1, 2], "city": [1]}}', JSON, 400, "different lengths"),
        ('{"inputs": 3, "instances": 4}', JSON, 400, "one of"),
        (r'{"instances": [{"age": 1, "\ud800": 2}]}', JSON, 400, "surrogate"),
        (r'{"instances": [{"age": 1, "city": "a\uDFFFb"}]}', JSON, 400, "surrogate"),
        (r'{"instances": [{"age": 1}], "params": {"task": "\ud83d"}}', JSON, 400, "surrogate"),
        (r'{"instances": [{"age": 1, "city": "\ud83d\ude00"}]}', JSON, 400, "missing input column"),
        (b"age,caf\xe9\n1,2\n", "text/csv", 400, "the byte 0xe9 in its header"),
        ("", "text/csv", 400, "CSV"),
        ("age\n1,2\n", "text/csv", 400, "missing input column"),
        ("age;score", "text/csv; charset=windows-1252", 400, "no rows"),
        ("age", "text/csv; charset=klingon", 415, "not klingon"),
        ("age,age\n1,2\n", "text/csv", 400, "twice"),
        ('age\n"1', "text/csv", 400, ""),
        ("{}", "application/x-parquet", 415, "content type"),
        ("{}", None, 415, "content type"),
        ("{}", "application/json; charset=utf-16", 415, "utf-8"),
    ],
)
def test_a_wrong_body_is_a_clear_4xx(model, body, kind, status, words, caplog):
    found, response = respond(model, body, kind)
    assert found == status
    assert words in response["message"]
    assert "Traceback" not in caplog.text


def test_many_rows_and_many_names_are_refused_by_their_number(model):
    limits = Limits(rows=2, columns=100, cells=20)
    for body, kind in (
        ({"instances": [[1]] * 3}, JSON),
        ("age\n1\n2\n3\n", "text/csv"),
        ({"instances": [{str(k): 1 for k in range(21)}]}, JSON),
    ):
        text = body if isinstance(body, str) else json.dumps(body)
        assert handle_request(model, text, kind, limits)[1] == 413


@pytest.mark.parametrize("kind", [JSON, "text/csv"])
def test_millions_of_column_names_are_refused_at_once(model, kind):
    names = [f"c{k}" for k in range(300_000)] + ["c0"]
    body = {"dataframe_split": {"columns": names, "data": []}} if kind == JSON else ",".join(names) + "\n"
    began = time.process_time()
    assert respond(model, body, kind)[0] == 413
    assert time.process_time() - began < 10


def test_an_error_of_our_own_shows_nothing_of_the_inside(model, rows, monkeypatch):
    def broken(*_, **__):
        raise RuntimeError(f"secret at {__file__}")

    monkeypatch.setattr(model, "scores", broken)
    status, response = respond(model, row(rows))
    assert status == 400
    assert "secret" not in response["message"]


def test_a_row_that_cannot_be_predicted_costs_itself_alone(model, rows):
    expected = [
        row["probability_yes"]
        for row in respond(model, rows.to_csv(index=False), "text/csv")[1]["predictions"]
    ]
    header, first, second, third = rows.to_csv(index=False).splitlines()
    bodies = [
        "\n".join([header, first, second + ",1", third]),
        "\n".join([header, first, second.replace("oslo", '"oslo" x'), third]),
        "\n".join([header, first, second.replace("32.99", "1e300"), third]),
    ]
    words = ["the row has 8 cells, and the header 7", "a quote in the row", "age"]
    for body, word in zip(bodies, words, strict=True):
        status, response = respond(model, body, "text/csv")
        one, bad, three = response["predictions"]
        assert status == 200
        assert list(bad) == ["error"]
        assert word in bad["error"]
        assert [one["probability_yes"], three["probability_yes"]] == [expected[0], expected[2]]


def test_a_csv_body_may_be_in_another_charset_and_with_another_separator(model, rows):
    expected = respond(model, rows.to_csv(index=False), "text/csv")
    body = rows.assign(note="Zürich").to_csv(index=False, sep=";").encode("cp1252")
    assert respond(model, body, "text/csv; charset=windows-1252") == expected


HOSTILE = [None, True, -1, 0, 3.5, 1e308, -1e308, 10**30, "", "NaN", "'; DROP TABLE x; --", "\x00", "🦜" * 50,
           "../../etc/passwd", "{{7*7}}", "<script>", [], [[]], {}, {"a": {"b": []}}, "2020-01-01", "rome"]  # fmt: skip


def fuzzed(rng, rows):
    """Return one body: a right one with something changed, or noise."""
    kind = rng.choice([JSON] * 8 + ["text/csv", "text/plain", ""])
    choice = rng.randrange(6)
    if choice == 0:
        raw = bytes(rng.randrange(256) for _ in range(rng.randrange(200)))
        return raw, kind
    if choice == 1:
        letters = string.printable + '{}[]":,'
        return "".join(rng.choice(letters) for _ in range(rng.randrange(300))), kind
    records = [dict(record) for record in rows.to_dict(orient="records")]
    for _ in range(rng.randrange(4)):
        record = rng.choice(records)
        record[rng.choice([*record, "extra"])] = rng.choice(HOSTILE)
    form = rng.choice(["dataframe_records", "dataframe_split", "instances", "inputs", "other"])
    value = rng.choice([records, rng.choice(HOSTILE), [list(r.values()) for r in records]])
    if form == "dataframe_split" and rng.random() < 0.7:
        value = {"columns": list(records[0]), "data": [list(r.values()) for r in records]}
    text = json.dumps({form: value})
    if choice == 2:  # a few characters of it changed
        at = rng.randrange(len(text))
        text = text[:at] + rng.choice(string.printable) + text[at + rng.randrange(3) :]
    return text, kind


@pytest.mark.filterwarnings("ignore:column ")
@pytest.mark.parametrize("n", [300, pytest.param(10_000, marks=pytest.mark.slow)])
def test_fuzzed_bodies_get_predictions_or_a_clear_4xx_and_the_model_goes_on(model, rows, n):
    rng = random.Random(n)
    seen = set()
    for _ in range(n):
        body, kind = fuzzed(rng, rows)
        status, response = respond(model, body, kind)
        assert status in (200, 400, 413, 415)
        assert ("predictions" in response) == (status == 200)
        seen.add(status)
    assert {200, 400, 415} <= seen
    assert respond(model, row(rows))[0] == 200
