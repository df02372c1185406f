import re

import numpy as np
import pandas as pd
import pytest
import torch
from helpers.model_doors import from_http, pyfunc, registered
from helpers.quick_projects import skipped_figures

from layerwise.data import DataError
from layerwise.data.schemas import FOREST_FIRES
from layerwise.inference import ModelManifest, ModelParts, TrainedModel
from layerwise.inference.tasks import TaskError, answer_rows
from layerwise.models.rbm import RBM, RBMConfig
from layerwise.parameters import TaskSettings


@pytest.fixture(scope="session")
def generated(project):
    """The GAN of the table, registered as `asked.gan`."""
    with skipped_figures():
        project.run("gan", env="forest_fires_size", problem={"name": "asked"})


def ask(model, rows=None, **settings):
    return answer_rows(model, rows, TaskSettings(task="sample", **settings), strict=False)


def sampled_by_the_pipeline(project, name, **settings):
    output = project.path / f"{name}_sampled.csv"
    given = {"model": name, "task": "sample", "output": str(output)} | settings
    project.run("predict", predict=given)
    return pd.read_csv(output)


@pytest.mark.parametrize("name", ["asked.rbm", "asked.gan"])
def test_every_door_draws_the_same_rows_with_a_seed(project, fires, generated, name):
    settings = {"n": 7, "seed": 3} | ({"steps": 20} if name == "asked.rbm" else {})
    model = registered(project, name)
    expected = ask(model, **settings)
    status, response = from_http(model, None, task="sample", **settings)
    assert (status, response["seed"]) == (200, 3)
    found = {
        "pipeline": sampled_by_the_pipeline(project, name, **settings),
        "pyfunc": pyfunc(project, name).predict(pd.DataFrame(), params={"task": "sample"} | settings),
        "http": pd.DataFrame(response["predictions"]),
    }
    for door, answer in found.items():
        assert list(answer) == list(expected), door
        for column in expected:
            assert answer[column].tolist() == expected[column].tolist(), (door, column)
    assert len(expected) == 7
    assert set(expected["month"]) <= set(fires["month"])


def test_a_seed_of_minus_one_is_drawn_and_reported(project, fires):
    model = registered(project, "asked.rbm")
    first = ask(model, n=3, steps=5)
    assert first.attrs["seed"] >= 0
    again = ask(model, n=3, steps=5, seed=first.attrs["seed"])
    pd.testing.assert_frame_equal(first, again)
    sampled_by_the_pipeline(project, "asked.rbm", n=3, steps=5)
    tags = dict(project.query("select key, value from tags where run_uuid=?", project.last_run()[0]))
    assert int(tags["predict.seed"]) >= 0


@pytest.mark.parametrize("name", ["asked.rbm", "asked.gan"])
def test_samples_pass_the_schema_of_the_problem(project, fires, generated, name):
    rows = ask(registered(project, name), n=100, seed=2, **({"steps": 20} if name == "asked.rbm" else {}))
    FOREST_FIRES.select_columns([each for each in FOREST_FIRES.columns if each in rows]).validate(rows)


@pytest.mark.parametrize("name", ["asked.rbm", "asked.gan"])
def test_filled_cells_are_conditions_that_the_sample_has(project, fires, generated, name):
    conditions = pd.DataFrame({"month": ["aug", None, "sep"], "day": ["sun", "mon", None]})
    found = ask(registered(project, name), conditions, seed=1)
    assert found["month"][[0, 2]].tolist() == ["aug", "sep"]
    assert found["day"][[0, 1]].tolist() == ["sun", "mon"]
    assert found.notna().all(axis=None)


def test_a_number_is_a_condition_of_an_rbm_and_none_of_a_generator(project, fires, generated):
    rows = pd.DataFrame({"temp": [30.0]})
    assert ask(registered(project, "asked.rbm"), rows, seed=1)["temp"].tolist() == [30.0]
    with pytest.raises(
        DataError, match="row 0: temp is a number, and a generator's conditions are categories: "
    ):
        ask(registered(project, "asked.gan"), rows)
    with pytest.raises(
        DataError, match="row 0: month holds 'agu', which training never saw; did you mean 'aug'"
    ):
        ask(registered(project, "asked.gan"), pd.DataFrame({"month": ["agu"]}))
    with pytest.raises(DataError, match="row 0: month holds 'agu', which training never saw"):
        answer_rows(
            registered(project, "asked.rbm"), pd.DataFrame({"month": ["agu"]}), TaskSettings(task="sample")
        )


def test_a_misspelt_condition_is_refused_beside_a_right_one_and_another_column_left_out(
    project, fires, generated
):
    model, rows = registered(project, "asked.gan"), pd.DataFrame({"month": ["aug"], "dya": ["sun"]})
    sentence = "the table has no column 'dya'; did you mean 'day'?"
    for given in (rows, rows[["dya"]]):
        with pytest.raises(TaskError, match=re.escape(sentence)):
            ask(model, given)
    status, response = from_http(model, rows, task="sample")
    assert status == 400
    assert sentence in str(response)
    with_more = rows.rename(columns={"dya": "day"}).assign(customer=17, days=1)
    assert ask(model, with_more, seed=1)["day"].tolist() == ["sun"]


def test_an_rbm_draws_the_rest_of_a_row_from_its_exact_conditional(tables):
    # Of two booleans: p(b | a) follows from the free energies of all four states.
    frame = tables.table(400)[["member", "active", "left"]]
    preprocessor = tables.fitted(frame, task="binary", target="left", positive="yes")
    rbm = RBM(RBMConfig(n_visible=2, n_hidden=3), torch.Generator().manual_seed(0))
    rbm.weight.normal_(0, 1.5, generator=torch.Generator().manual_seed(1))
    model = TrainedModel(rbm, preprocessor, ModelManifest(problem="t"), parts=ModelParts())
    given = pd.DataFrame({"member": [1] * 4000, "active": [None] * 4000})
    found = ask(model, given, seed=0, steps=50)
    order = [block.name for block in preprocessor.data_spec.blocks]
    states = torch.tensor([[1.0, 0.0], [1.0, 1.0]])[:, [order.index("member"), order.index("active")]]
    states = torch.zeros(2, 2)
    states[:, order.index("member")] = 1
    states[1, order.index("active")] = 1
    expected = float((-rbm.free_energy(states)).softmax(0)[1])
    assert found["active"].astype(float).mean() == pytest.approx(expected, abs=0.03)
    assert set(found["member"].astype(int)) == {1}


def test_a_vae_draws_pixels_beside_given_ones(project, images):
    model = registered(project, "asked_digits.autoencoder")
    frame = images[1].head(2).copy()
    frame.iloc[:, :392] = np.nan
    found = ask(model, frame, seed=2, steps=3)
    np.testing.assert_array_equal(found.iloc[:, 392:], frame.iloc[:, 392:])
    assert found.iloc[:, :392].notna().all(axis=None)
    assert ask(model, n=3, seed=0).shape == (3, 784)


def test_a_model_without_a_distribution_does_not_sample(project, fires):
    with pytest.raises(TaskError, match=r"has no task sample; its tasks: encode, anomaly"):
        ask(registered(project, "asked.autoencoder"))
