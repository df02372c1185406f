import numpy as np
import pandas as pd
import pytest
from helpers.model_doors import answers, assert_same_numbers, from_http, pyfunc, registered

from layerwise.data import DataError
from layerwise.inference.tasks import TaskError, answer_rows
from layerwise.parameters import TaskSettings

TABLE = "data/01_raw/forest_fires/forestfires_uci.csv"
QUICK = {"downstream_tasks": False, "probe": False}


@pytest.fixture(scope="module")
def fires(project):
    """A table's RBM and autoencoder, registered; return the raw table."""
    rbm = {"epochs": 1, "likelihood": {"method": "none"}, "probe": False, "classification_rbm": False}
    project.run("rbm", env="forest_fires_size", problem={"name": "encoded"}, rbm=rbm)
    project.run("autoencoder", env="forest_fires_size", problem={"name": "encoded"}, autoencoder=QUICK)
    return pd.read_csv(project.path / TABLE)


@pytest.fixture(scope="module")
def images(project):
    """The autoencoder of the digits, registered; return a file of twelve images and their pixels as rows."""
    project.run("autoencoder", problem={"name": "encoded_digits"}, autoencoder=QUICK)
    raw = project.catalog(problem={"name": "encoded_digits"}).load("raw").pixels[:12]
    np.save(project.path / "images.npy", raw)
    names = [f"pixel_{r}_{c}" for r in range(28) for c in range(28)]
    return project.path / "images.npy", pd.DataFrame(raw.reshape(12, -1).astype(float), columns=names)


@pytest.mark.parametrize("kind", ["rbm", "autoencoder"])
def test_every_door_gives_the_same_latents_of_a_table(project, fires, kind):
    found = answers(project, f"encoded.{kind}", project.path / TABLE, fires, task="encode")
    assert_same_numbers(found)
    # The rows stand beside the latents in the file.
    pd.testing.assert_frame_equal(found["pipeline"][list(fires)], fires)
    assert found["pipeline"]["error"].isna().all()


def test_every_door_gives_the_same_latents_of_images(project, images):
    file, frame = images
    found = answers(project, "encoded_digits.autoencoder", file, frame, task="encode")
    assert_same_numbers(found)
    assert found["pipeline"]["row"].tolist() == list(range(12))


def test_an_rbms_latents_are_the_sigmoid_of_its_pre_activations(project, fires):
    model = registered(project, "encoded.rbm")
    found = answer_rows(model, fires, TaskSettings(), strict=False)
    weight, bias = (part.double().numpy() for part in (model.network.weight, model.network.hidden_bias))
    rows = model.preprocessor.inputs(model.select_inputs(fires)).astype(float)
    scale = getattr(model.network.visible_units, "scaled", lambda x: x)
    rows = scale(model.inputs(model.select_inputs(fires))).double().numpy()
    expected = 1 / (1 + np.exp(-(bias + rows @ weight)))
    np.testing.assert_allclose(found.to_numpy(), expected, atol=1e-5)
    assert list(found) == [f"hidden_{k + 1}" for k in range(40)]


def test_the_signature_says_what_may_be_asked_with_plain_defaults(project, fires):
    params = pyfunc(project, "encoded.rbm").metadata.signature.params
    assert {each.name: each.default for each in params}["task"] == "encode"


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"task": "predict"}, "(rbm of the problem encoded) does not predict; it does: encode"),
        ({"task": "encoed"}, "does not encoed; did you mean 'encode'?"),
        ({"taks": "encode"}, "unknown parameter 'taks'; did you mean 'task'?"),
        ({"task": "encode", "seed": 3}, "the task encode has no use for seed"),
        ({"seed": "three"}, "parameter seed: Input should be a valid integer"),
    ],
)
def test_what_a_model_does_not_do_is_refused_with_what_it_does(project, fires, params, words):
    status, response = from_http(registered(project, "encoded.rbm"), fires, **params)
    assert (status, response["error_code"]) == (400, "BAD_REQUEST")
    assert words in response["message"]


def test_a_bad_row_is_refused_with_its_reason_at_every_door(project, fires, tmp_path):
    wrong = fires.astype({"temp": object})
    wrong.loc[3, "temp"] = "warm"
    model = registered(project, "encoded.rbm")
    with pytest.raises(DataError, match="row 3: temp is a number, and holds 'warm'"):
        answer_rows(model, wrong, TaskSettings())
    status, response = from_http(model, wrong, task="encode")
    assert status == 400
    assert "row 3: temp is a number, and holds 'warm'" in response["message"]
    file = tmp_path / "rows.csv"
    wrong.to_csv(file, index=False)
    project.run(
        "predict",
        predict={
            "model": "encoded.rbm",
            "input": str(file),
            "output": str(tmp_path / "out.csv"),
            "task": "encode",
        },
    )
    found = pd.read_csv(tmp_path / "out.csv")
    assert found["error"].notna().to_numpy().nonzero()[0].tolist() == [3]
    assert found["hidden_1"].isna().to_numpy().nonzero()[0].tolist() == [3]


def test_an_unknown_task_of_the_pipeline_is_refused_with_those_that_there_are(project, fires):
    with pytest.raises(TaskError, match="does not sing; it does: encode"):
        project.run(
            "predict",
            predict={"model": "encoded.rbm", "input": str(project.path / TABLE), "task": "sing"},
        )
