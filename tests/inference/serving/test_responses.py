"""Requests that are answered together get what each gets alone, to the last bit."""

import json

import numpy as np
import pytest

from layerwise.data import PreprocessingSettings, Problem, SplitSettings, split_raw
from layerwise.data.preprocessing import fit_preprocessor
from layerwise.data.sources import Images
from layerwise.inference import ModelManifest, load_trained_model, save_trained_model
from layerwise.inference.serving import handle_request, handle_requests, responses
from layerwise.models import MLP, MLPConfig
from layerwise.utils import torch_rng

JSON = "application/json"
# What a stranger may put in the place of a cell.
CELLS = [
    3,
    3.0,
    -0.5,
    "4",
    "rome",
    "",
    None,
    True,
    2**60,
    "2021-05-06",
    "no date",
    1e300,
    "€",
    [1],
    float("nan"),
]


def body(row, **params):
    return json.dumps({"dataframe_records": [row]} | ({"params": params} if params else {})).encode()


def alone(model, bodies):
    return [handle_request(model, each, JSON) for each in bodies]


def together(model, bodies):
    return handle_requests(model, [(each, JSON) for each in bodies])


@pytest.fixture(scope="module")
def model(tmp_path_factory, tables):
    return tables.saved(tmp_path_factory.mktemp("model"), tables.table())


def test_right_and_wrong_rows_together_get_their_own_answers(model, tables):
    rng = np.random.default_rng(0)
    rows = tables.table().drop(columns=["left", "cost", "a", "b"]).head(80).replace({np.nan: None})
    bodies = []
    for k, row in enumerate(rows.to_dict(orient="records")):
        if k % 3 == 0:
            row[rng.choice(list(row))] = CELLS[k // 3 % len(CELLS)]
        if k % 11 == 0:
            del row[rng.choice(list(row))]
        bodies.append(body(row, **({"task": "encode"} if k % 7 == 0 else {})))
    bodies[5:5] = [
        b"{",
        b'{"instances": []}',
        body({"age": 1}),
        json.dumps({"instances": [[1], [2]]}).encode(),
    ]
    found = together(model, bodies)
    assert found == alone(model, bodies)
    assert {status for _, status, _ in found} == {200, 400}


def test_whole_numbers_and_fractions_of_a_category_keep_their_own_text(tmp_path, tables):
    frame = tables.table()
    frame["member"] = frame["member"].map({0: "0", 1: "1"})
    frame["code"] = np.choose(np.arange(len(frame)) % 3, ["3", "3.0", "x"])
    trained = tables.saved(tmp_path, frame, **tables.BINARY, reading={"columns": {"code": "category"}})
    row = frame.drop(columns=["left", "cost", "a", "b"]).replace({np.nan: None}).iloc[0].to_dict()
    bodies = [
        body(row | {"code": code, "age": age}) for code in (3, 3.0, "3", "3.0", 2.5) for age in (40, 40.0)
    ]
    assert together(trained, bodies) == alone(trained, bodies)


def test_a_whole_number_keeps_all_its_digits(tmp_path, tables):
    frame = tables.table()
    codes = [str(2**60 + k) for k in range(3)]
    frame["code"] = np.choose(np.arange(len(frame)) % 3, codes)
    trained = tables.saved(tmp_path, frame, **tables.BINARY, reading={"columns": {"code": "category"}})
    row = frame.drop(columns=["left", "cost", "a", "b"]).replace({np.nan: None}).iloc[0].to_dict()
    as_numbers = alone(trained, [body(row | {"code": int(code)}) for code in codes])
    assert as_numbers == alone(trained, [body(row | {"code": code}) for code in codes])
    assert len({text for text, *_ in as_numbers}) == 3
    far = [body(row | {"age": value}) for value in (2**60, str(2**60), 10**400, str(10**400))]
    texts = [text for text, *_ in alone(trained, far)]
    assert texts[0] == texts[1]
    assert texts[2] == texts[3]


def test_like_requests_are_one_table(model, tables, monkeypatch):
    tables_asked, answer_chunk = [], responses.answer_chunk

    def count(model, task, chunk, settings, strict):
        tables_asked.append(len(chunk))
        return answer_chunk(model, task, chunk, settings, strict)

    monkeypatch.setattr(responses, "answer_chunk", count)
    rows = tables.table().drop(columns=["left", "cost", "a", "b"]).head(50).replace({np.nan: None})
    together(model, [body(row) for row in rows.to_dict(orient="records")])
    assert tables_asked == [50]


def test_images_that_are_scaled_already_are_refused_among_others_too(tmp_path):
    rng = np.random.default_rng(0)
    raw = Images(rng.integers(0, 256, (60, 4, 4)).astype(np.uint8), np.arange(60) % 2)
    problem = Problem(name="t", task="multiclass")
    split = split_raw(raw, problem, SplitSettings(), 0)
    preprocessor = fit_preprocessor(raw, split, problem, PreprocessingSettings(), 0)
    network = MLP(MLPConfig(n_inputs=16, n_outputs=2), torch_rng(0, "w")).eval()
    save_trained_model(tmp_path, network, preprocessor, ModelManifest(problem="t"))
    trained = load_trained_model(tmp_path)
    pixels = [raw.pixels[0].tolist(), (raw.pixels[1] / 255).tolist(), raw.pixels[2].tolist(), [[1] * 4] * 3]
    bodies = [json.dumps({"instances": [each]}).encode() for each in pixels]
    found = together(trained, bodies)
    assert found == alone(trained, bodies)
    assert [status for _, status, _ in found] == [200, 400, 200, 400]
