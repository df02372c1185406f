"""What a deep Boltzmann machine is asked, against sums over its states."""

import itertools

import numpy as np
import pandas as pd
import pytest
import torch
from helpers.tables import fitted, table

from layerwise.evaluation.likelihood import LogPartition, LogProbability, StackLikelihood
from layerwise.inference import ModelManifest, ModelParts, load_trained_model, save_trained_model
from layerwise.inference.tasks import TaskError, answer_rows
from layerwise.models.rbm import DBM, DBMConfig
from layerwise.parameters import TaskSettings

FLAGS = ["member", "active", "a", "b"]
STATES = torch.tensor(list(itertools.product([0.0, 1.0], repeat=4)))


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """All sixteen rows of four flags, a DBM of them with its exact log Z, and that log Z."""
    frame = table()[[*FLAGS, "left"]]
    rows = pd.DataFrame(STATES.numpy(), columns=FLAGS).astype(int).assign(active=STATES[:, 1].numpy() > 0)
    dbm = DBM(DBMConfig(n_visible=4, hidden_sizes=(3, 2), mean_field_steps=20))
    for value in dbm.parameters():
        value.normal_(0, 0.8, generator=torch.Generator().manual_seed(value.numel()))
    units = torch.tensor(list(itertools.product([0.0, 1.0], repeat=6)))
    log_z = float((-dbm.joint.free_energy(units)).logsumexp(0))
    mean = LogProbability(midpoint=0, low=0, high=0, standard_error=0, n_rows=1)
    parts = ModelParts(bound=StackLikelihood(log_partition=LogPartition("exact", log_z, log_z), bound=mean))
    folder = tmp_path_factory.mktemp("dbm")
    preprocessor = fitted(frame, task="binary", target="left", positive="yes")
    save_trained_model(folder, dbm, preprocessor, ModelManifest(problem="t"), parts=parts)
    return rows, load_trained_model(folder), log_z


def ask(asked, task, rows=None, **settings):
    return answer_rows(asked[1], asked[0] if rows is None else rows, TaskSettings(task=task, **settings))


def test_it_bounds_log_probabilities_from_below(asked):
    rows, model, log_z = asked
    inputs = model.inputs(model.select_inputs(rows))
    tops = torch.tensor(list(itertools.product([0.0, 1.0], repeat=2)))
    joint = model.network.joint
    terms = [-joint.free_energy(torch.cat([inputs, top.expand(16, -1)], 1)) for top in tops]
    exact = (torch.stack(terms).logsumexp(0) - log_z).numpy()
    assert np.exp(exact).sum() == pytest.approx(1, abs=1e-5)
    found = ask(asked, "log_probability", seed=0)["log_prob_low"]
    assert (found < exact + 1e-5).all()
    assert (found > exact - 0.2).all()


def test_it_encodes_to_the_means_of_its_top_layer(asked):
    found = ask(asked, "encode")
    assert list(found.columns) == ["hidden_1", "hidden_2"]
    inputs = asked[1].inputs(asked[1].select_inputs(asked[0]))
    np.testing.assert_allclose(found, asked[1].network.encode(inputs), atol=1e-6)


def test_it_reconstructs_rows_and_draws_free_ones_alone(asked):
    assert list(ask(asked, "reconstruct").columns) == FLAGS
    drawn = answer_rows(asked[1], None, TaskSettings(task="sample", seed=0, n=500, steps=20))
    assert list(drawn.columns) == FLAGS
    with pytest.raises(TaskError, match="draws free rows alone"):
        ask(asked, "sample")
