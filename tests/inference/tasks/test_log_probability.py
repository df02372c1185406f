import itertools

import numpy as np
import pandas as pd
import pytest
import torch
from helpers.model_doors import answers, assert_same_numbers, registered
from helpers.tables import fitted, table

from layerwise.evaluation.likelihood import (
    LogPartition,
    LogProbability as Mean,
    RBMLikelihood,
    StackLikelihood,
)
from layerwise.inference import ModelManifest, ModelParts, load_trained_model, save_trained_model
from layerwise.inference.tasks import TaskError, answer_rows
from layerwise.models.autoencoder import VAE, VAEConfig
from layerwise.models.rbm import DBN, RBM, DBNConfig, RBMConfig
from layerwise.parameters import TaskSettings

TABLE = "data/01_raw/forest_fires/forestfires_uci.csv"
FLAGS = ["member", "active", "a", "b"]
STATES = torch.tensor(list(itertools.product([0.0, 1.0], repeat=4)))
ASKED = TaskSettings(task="log_probability", seed=0, samples=2000)
MEAN = Mean(midpoint=0, low=0, high=0, standard_error=0, n_rows=1)


@pytest.fixture(scope="module")
def flags():
    """All sixteen rows of four flags, and a preprocessor of them."""
    frame = table()[[*FLAGS, "left"]]
    rows = pd.DataFrame(STATES.numpy(), columns=FLAGS).astype(int).assign(active=STATES[:, 1].numpy() > 0)
    return rows, fitted(frame, task="binary", target="left", positive="yes")


def stored(folder, network, preprocessor, **parts):
    for value in network.parameters():
        with torch.no_grad():
            value.normal_(0, 0.8, generator=torch.Generator().manual_seed(value.numel()))
    save_trained_model(folder, network, preprocessor, ModelManifest(problem="t"), parts=ModelParts(**parts))
    return load_trained_model(folder)


def exact(log_z):
    return LogPartition("exact", log_z, log_z)


def make_rbm():
    return RBM(RBMConfig(n_visible=4, n_hidden=3))


def test_an_rbms_log_probabilities_are_those_of_enumeration(flags, tmp_path):
    rows, preprocessor = flags
    model = stored(tmp_path / "first", make_rbm(), preprocessor)
    inputs = model.inputs(model.select_inputs(rows)).double()
    weight, hidden, visible = (
        getattr(model.network, name).detach().double() for name in ("weight", "hidden_bias", "visible_bias")
    )
    energies = torch.zeros(16, 8, dtype=torch.float64)
    for k, h in enumerate(itertools.product([0.0, 1.0], repeat=3)):
        h = torch.tensor(h, dtype=torch.float64)
        energies[:, k] = -(inputs @ visible) - h @ hidden - inputs @ weight @ h
    log_z = float((-energies).logsumexp((0, 1)))
    likelihood = RBMLikelihood(
        log_partition=exact(log_z), log_probability={}, pseudo_likelihood=0, is_sampled=False
    )
    model = stored(tmp_path / "second", make_rbm(), preprocessor, likelihood=likelihood)
    found = answer_rows(model, rows, ASKED)
    expected = (-energies).logsumexp(1) - log_z
    np.testing.assert_allclose(found["log_prob_low"], expected, atol=1e-5)
    assert (found["log_prob_low"] == found["log_prob_high"]).all()
    assert np.exp(found["log_prob_low"]).sum() == pytest.approx(1, abs=1e-5)


def test_an_interval_of_log_z_is_one_of_log_probabilities(flags, tmp_path):
    rows, preprocessor = flags
    likelihood = RBMLikelihood(
        log_partition=LogPartition("ais", 1.0, 1.5), log_probability={}, pseudo_likelihood=0, is_sampled=False
    )
    found = answer_rows(stored(tmp_path, make_rbm(), preprocessor, likelihood=likelihood), rows, ASKED)
    np.testing.assert_allclose(found["log_prob_high"] - found["log_prob_low"], 0.5, atol=1e-9)
    unbounded = likelihood.model_copy(update={"log_partition": LogPartition("ais", 1.0, float("inf"))})
    model = stored(tmp_path / "other", make_rbm(), preprocessor, likelihood=unbounded)
    with pytest.raises(TaskError, match="has no task log_probability; its tasks: encode"):
        answer_rows(model, rows, ASKED)


def test_a_stacks_bound_is_below_its_exact_log_probabilities_and_near_them(flags, tmp_path):
    rows, preprocessor = flags
    model = stored(tmp_path / "first", DBN(DBNConfig(n_visible=4, hidden_sizes=(3, 2))), preprocessor)
    lower, top = model.network.double().rbm_layers()
    hidden = torch.tensor(list(itertools.product([0.0, 1.0], repeat=3)), dtype=torch.float64)
    scores = -top.free_energy(hidden)
    log_z = float(scores.logsumexp(0).detach())
    p = torch.sigmoid(hidden @ lower.weight.T + lower.visible_bias)
    inputs = model.inputs(model.select_inputs(rows)).double()
    down = torch.stack([(p * v + (1 - p) * (1 - v)).prod(1) for v in inputs])
    expected = (down @ (scores - log_z).exp()).log().detach().numpy()
    bound = StackLikelihood(log_partition=exact(log_z), bound=MEAN)
    network = DBN(DBNConfig(n_visible=4, hidden_sizes=(3, 2)))
    model = stored(tmp_path / "second", network, preprocessor, bound=bound)
    found = answer_rows(model, rows, ASKED)["log_prob_low"]
    assert (found < expected + 0.03).all()
    assert (found > expected - 0.5).all()


def test_many_draws_come_near_a_variational_autoencoders_exact_log_probabilities(flags, tmp_path):
    rows, preprocessor = flags
    network = VAE(VAEConfig(n_inputs=4, hidden_sizes=(3,), latent_size=1))
    model = stored(tmp_path, network, preprocessor)
    inputs = model.inputs(model.select_inputs(rows))
    z = torch.linspace(-8, 8, 4001)[:, None]
    with torch.no_grad():
        pre_activation = model.network.decode_pre_activation(z)
        given = torch.stack([-model.network.loss(pre_activation, x.expand(4001, -1)) for x in inputs])
    prior = torch.distributions.Normal(0, 1).log_prob(z[:, 0])
    expected = (given + prior).double().logsumexp(1) + np.log(16 / 4000)
    assert float(expected.exp().sum()) == pytest.approx(1, abs=1e-4)
    found = answer_rows(model, rows, ASKED)["log_prob_low"]
    np.testing.assert_allclose(found, expected, atol=0.2)
    assert abs(float((found - expected.numpy()).median())) < 0.01


def test_a_rows_bound_is_the_same_beside_any_others(project, images):
    model = registered(project, "asked_digits.autoencoder")
    asked = TaskSettings(task="log_probability", seed=3, samples=5)
    together = answer_rows(model, images[1], asked)
    alone = answer_rows(model, images[1].iloc[7:8], asked)
    assert float(alone["log_prob_low"].iloc[0]) == float(together["log_prob_low"].iloc[7])


def test_more_draws_raise_the_bound_of_a_variational_autoencoder(project, images):
    model = registered(project, "asked_digits.autoencoder")
    few, many = (
        answer_rows(model, images[1], TaskSettings(task="log_probability", seed=0, samples=n))
        for n in (2, 500)
    )
    assert float((many - few).mean().iloc[0]) > 0


def test_every_door_gives_the_same_of_images(project, images):
    file, frame = images
    settings = {"task": "log_probability", "samples": 3, "seed": 1}
    assert_same_numbers(answers(project, "asked_digits.autoencoder", file, frame, **settings))


@pytest.mark.parametrize("pipeline", ["rbm", "dbn"])
def test_every_door_gives_the_same_of_a_table(project, pipeline):
    sizes = {"rbm": {"n_hidden": 6, "epochs": 1}, "dbn": {"hidden_sizes": [6, 5]}}
    name = f"asked_nats_{pipeline}"
    settings = {"probe": False, "classification_rbm": False}
    sizes["rbm"] |= settings
    project.run(pipeline, env="forest_fires_size", problem={"name": name}, **{pipeline: sizes[pipeline]})
    rows = pd.read_csv(project.path / TABLE).head(30)
    file = project.path / "thirty.csv"
    rows.to_csv(file, index=False)
    settings = {"task": "log_probability", "samples": 3, "seed": 1}
    assert_same_numbers(answers(project, f"{name}.{pipeline}", file, rows, **settings))
