import numpy as np
import pandas as pd
import pytest
from helpers.model_doors import answers, assert_same_numbers, from_http, pyfunc, registered

from layerwise.data import DataError
from layerwise.inference.tasks import TaskError, answer_rows, encode
from layerwise.parameters import TaskSettings


@pytest.mark.parametrize("kind", ["rbm", "autoencoder"])
def test_every_door_gives_the_same_latents_of_a_table(project, fires, table_file, kind):
    found = answers(project, f"asked.{kind}", table_file, fires, task="encode")
    assert_same_numbers(found)
    # The rows stand beside the latents in the file.
    pd.testing.assert_frame_equal(found["pipeline"][list(fires)], fires)
    assert found["pipeline"]["error"].isna().all()


def test_every_door_gives_the_same_latents_of_images(project, images):
    file, frame = images
    found = answers(project, "asked_digits.autoencoder", file, frame, task="encode")
    assert_same_numbers(found)
    assert found["pipeline"]["row"].tolist() == list(range(12))


def test_an_rbms_latents_are_the_sigmoid_of_its_pre_activations(project, fires):
    model = registered(project, "asked.rbm")
    found = answer_rows(model, fires, TaskSettings(), strict=False)
    weight, bias = (part.double().numpy() for part in (model.network.weight, model.network.hidden_bias))
    rows = model.preprocessor.inputs(model.select_inputs(fires)).astype(float)
    scale = getattr(model.network.visible_units, "scaled", lambda x: x)
    rows = scale(model.inputs(model.select_inputs(fires))).double().numpy()
    expected = 1 / (1 + np.exp(-(bias + rows @ weight)))
    np.testing.assert_allclose(found.to_numpy(), expected, atol=1e-5)
    assert list(found) == [f"hidden_{k + 1}" for k in range(40)]


def test_a_narrow_table_is_read_at_once_and_in_parts_has_the_same_latents(project, fires, monkeypatch):
    model, counted = registered(project, "asked.rbm"), []
    rows = pd.concat([model.select_inputs(fires)] * 24, ignore_index=True)
    assert len(rows) > encode.ROWS_AT_A_TIME
    read = type(model).inputs
    monkeypatch.setattr(
        type(model), "inputs", lambda self, rows: counted.append(len(rows)) or read(self, rows)
    )
    at_once = encode.encoded(model, rows)
    assert counted == [len(rows)]
    monkeypatch.setattr(encode, "NUMBERS_AT_A_TIME", 0)
    np.testing.assert_array_equal(encode.encoded(model, rows), at_once)
    assert counted[1:] == [encode.ROWS_AT_A_TIME, len(rows) - encode.ROWS_AT_A_TIME]


def test_the_signature_says_what_may_be_asked_with_plain_defaults(project, fires):
    params = pyfunc(project, "asked.rbm").metadata.signature.params
    assert {each.name: each.default for each in params}["task"] == "encode"


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"task": "predict"}, "(rbm of the problem asked) has no task predict; its tasks: encode, anomaly"),
        ({"task": "encoed"}, "has no task encoed; did you mean 'encode'? Its tasks: encode, anomaly"),
        ({"taks": "encode"}, "unknown parameter 'taks'; did you mean 'task'?"),
        ({"task": "encode", "seed": 3}, "the task encode has no use for seed"),
        ({"seed": "three"}, "parameter seed: Input should be a valid integer"),
    ],
)
def test_what_a_model_does_not_do_is_refused_with_what_it_does(project, fires, params, words):
    status, response = from_http(registered(project, "asked.rbm"), fires, **params)
    assert (status, response["error_code"]) == (400, "BAD_REQUEST")
    assert words in response["message"]


def test_a_bad_row_is_refused_with_its_reason_at_every_door(project, fires, tmp_path):
    wrong = fires.astype({"temp": object})
    wrong.loc[3, "temp"] = "warm"
    model = registered(project, "asked.rbm")
    with pytest.raises(DataError, match="row 3: temp is a number, and holds 'warm'"):
        answer_rows(model, wrong, TaskSettings())
    status, response = from_http(model, wrong, task="encode")
    assert status == 200
    assert response["predictions"][3] == {"error": "temp is a number, and holds 'warm'"}
    assert "hidden_1" in response["predictions"][4]
    file = tmp_path / "rows.csv"
    wrong.to_csv(file, index=False)
    project.run(
        "predict",
        predict={
            "model": "asked.rbm",
            "input": str(file),
            "output": str(tmp_path / "out.csv"),
            "task": "encode",
        },
    )
    found = pd.read_csv(tmp_path / "out.csv")
    assert found["error"].notna().to_numpy().nonzero()[0].tolist() == [3]
    assert found["hidden_1"].isna().to_numpy().nonzero()[0].tolist() == [3]


def test_an_unknown_task_of_the_pipeline_is_refused_with_those_that_there_are(project, table_file):
    with pytest.raises(TaskError, match="has no task sing; its tasks: encode, anomaly"):
        project.run(
            "predict",
            predict={"model": "asked.rbm", "input": str(table_file), "task": "sing"},
        )
