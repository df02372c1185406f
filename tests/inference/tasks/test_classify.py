import numpy as np
import pandas as pd
import pytest
import torch
from helpers.model_doors import answers, assert_same_numbers, from_http, registered

from layerwise.inference.tasks import TaskError, answer_rows
from layerwise.parameters import TaskSettings

TABLE = "data/01_raw/forest_fires/forestfires_uci.csv"


@pytest.fixture(scope="module")
def labelled(project):
    """An RBM of a table with one that has label units beside it, registered as `asked_labels.rbm`; return raw rows."""
    rbm = {"epochs": 2, "likelihood": {"method": "none"}, "probe": False}
    project.run("rbm", env="forest_fires_size", problem={"name": "asked_labels"}, rbm=rbm)
    return pd.read_csv(project.path / TABLE)


def test_every_door_classifies_the_same(project, labelled):
    found = answers(project, "asked_labels.rbm", project.path / TABLE, labelled, task="classify")
    assert_same_numbers(found)
    names = [f"probability_{name}" for name in registered(project, "asked_labels.rbm").columns.class_names]
    np.testing.assert_allclose(found["pyfunc"][names].sum(axis=1), 1, atol=1e-6)


def test_probabilities_are_those_of_the_joint_by_its_free_energies(project, labelled):
    model = registered(project, "asked_labels.rbm")
    found = answer_rows(model, labelled.head(30), TaskSettings(task="classify"))
    rbm = model.parts.classification_rbm
    inputs = model.inputs(model.select_inputs(labelled.head(30)))
    energies = [rbm.free_energy(torch.cat([inputs, torch.eye(2)[k].expand(30, 2)], 1)) for k in range(2)]
    expected = (-torch.stack(energies, 1)).double().softmax(1)
    names = [f"probability_{name}" for name in model.columns.class_names]
    np.testing.assert_allclose(found[names], expected.detach(), atol=1e-5)


def test_sampled_rows_are_of_the_class_that_is_asked_for(project, labelled):
    model = registered(project, "asked_labels.rbm")
    rbm, columns = model.parts.classification_rbm, model.columns
    # Label units that decide an input alone: of the second class the first binary column is on.
    block = next(each for each in columns.blocks if each.kind != "real")
    with torch.no_grad():
        rbm.weight.zero_()
        rbm.visible_bias.zero_()
        rbm.hidden_bias.fill_(-10.0)
        rbm.weight[block.start, 0], rbm.weight[-1, 0], rbm.weight[-2, 0] = 20.0, 20.0, -20.0
    asked = [TaskSettings(task="sample", n=20, seed=1, steps=3, label=name) for name in columns.class_names]
    first, second = (model.inputs(model.select_inputs(answer_rows(model, None, each))) for each in asked)
    assert bool((second[:, block.start] == 1).all())
    assert 0 < float((first[:, block.start] == 1).float().mean()) < 1


def test_a_label_goes_with_given_cells_and_through_http(project, labelled):
    model = registered(project, "asked_labels.rbm")
    name = model.columns.class_names[1]
    given = pd.DataFrame({"month": ["aug"] * 3})
    status, response = from_http(model, given, task="sample", label=name, seed=3, steps=2)
    assert status == 200
    assert [row["month"] for row in response["predictions"]] == ["aug"] * 3
    status, response = from_http(model, given, task="sample", label="nothing")
    assert status == 400
    assert response["message"].startswith("there is no class 'nothing'; ")


def test_models_without_label_units_classify_nothing(project, fires):
    model = registered(project, "asked.rbm")
    with pytest.raises(TaskError, match="has no task classify; its tasks: encode"):
        answer_rows(model, fires.head(2), TaskSettings(task="classify"))
    with pytest.raises(TaskError, match="has no label units, and so no use for label"):
        answer_rows(model, None, TaskSettings(task="sample", label="small"))
