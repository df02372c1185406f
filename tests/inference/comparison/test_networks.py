"""Networks that learnt without a target beside the champion, against sums over all states and scipy's paired test."""

import numpy as np
import pytest
import torch
from helpers import small_rbms as m
from scipy import stats

from layerwise.data import PreprocessingSettings, Problem, SplitSettings, split_raw
from layerwise.data.preprocessing import fit_preprocessor
from layerwise.data.sources import Images
from layerwise.evaluation.likelihood import LogPartition, LogProbability, RBMLikelihood, StackLikelihood
from layerwise.inference import ModelManifest, ModelParts, TrainedModel, compare_networks, hash_rows
from layerwise.models.autoencoder import Autoencoder, AutoencoderConfig
from layerwise.models.rbm import DBN, RBM, DBNConfig, RBMConfig

N = 120


@pytest.fixture(scope="module")
def images():
    """Images of 4 black and white pixels, the first two alike."""
    pixels = np.random.default_rng(0).integers(0, 2, (N, 2, 2)).astype(np.uint8) * 255
    pixels[:, 0, 1] = pixels[:, 0, 0]
    return Images(pixels, np.arange(N) % 2)


def model(images, network, parts=None, **preprocessing):
    problem = Problem(name="t", task="multiclass")
    split = split_raw(images, problem, SplitSettings(), 0)
    fitted = fit_preprocessor(images, split, problem, PreprocessingSettings(**preprocessing), 0)
    return TrainedModel(network.eval(), fitted, ModelManifest(problem="t"), parts=parts or ModelParts())


def rbm(weight, n_hidden=3):
    """One hidden unit sees the first two pixels; at weight 0 all images are as likely."""
    found = RBM(RBMConfig(n_visible=4, n_hidden=n_hidden))
    found.weight[:2, 0] = weight
    found.visible_bias[:2] = -weight / 2
    found.hidden_bias[0] = -weight
    return found


def exact_log_probabilities(network, rows):
    """log p of rows, and log Z, by the sum over all states of both layers."""
    states = m.visible_states(network)[0].float()
    unnormalized = (-m.energies(network, states)).logsumexp(1)
    log_z = float(unnormalized.logsumexp(0))
    index = (rows[:, None] == states[None]).all(2).float().argmax(1)
    return (unnormalized[index] - log_z).numpy(), log_z


def with_log_z(low, high):
    probability = LogProbability(low=-1.0, high=-1.0, midpoint=-1.0, standard_error=0.0, n_rows=1)
    both = {"test": probability, "training": probability}
    partition = LogPartition("ais", low, high)
    likelihood = RBMLikelihood(
        log_partition=partition, log_probability=both, pseudo_likelihood=-1.0, is_sampled=False
    )
    return ModelParts(
        likelihood=likelihood, bound=StackLikelihood(log_partition=partition, bound=probability)
    )


def test_rbms_of_any_size_are_compared_by_their_exact_log_probabilities(images):
    networks = [rbm(4.0), rbm(1.0, n_hidden=2)]
    networks[1].visible_bias[3] = 0.5
    rows = torch.from_numpy(images.pixels.reshape(N, 4) / 255).float()
    (new, log_z), (old, old_log_z) = (exact_log_probabilities(network, rows) for network in networks)
    good, bad = (
        model(images, network, with_log_z(each, each))
        for network, each in zip(networks, (log_z, old_log_z), strict=True)
    )
    found = compare_networks(good, bad, images, same_test_rows=True)
    assert (found.metric, found.rows, found.left_out) == ("log_prob", N, 0)
    expected = stats.t.interval(0.95, N - 1, (new - old).mean(), stats.sem(new - old))
    np.testing.assert_allclose((found.new, found.old), (new.mean(), old.mean()), rtol=1e-5)
    np.testing.assert_allclose((found.low, found.high), expected, rtol=1e-4)
    assert found.wins
    assert not compare_networks(bad, good, images, same_test_rows=True).is_better
    # What log Z may be off by widens the interval to both sides, until nothing is sure.
    unsure = model(images, networks[0], with_log_z(log_z - 0.1, log_z + 0.1))
    wider = compare_networks(unsure, bad, images, same_test_rows=True)
    np.testing.assert_allclose((wider.low, wider.high), (found.low - 0.1, found.high + 0.1), rtol=1e-4)
    unsure = model(images, networks[0], with_log_z(log_z - 2, log_z + 2))
    wide = compare_networks(unsure, bad, images, same_test_rows=True)
    assert wide.is_better
    assert not wide.wins


def test_an_rbm_without_a_bounded_log_z_is_compared_by_the_pseudo_likelihood(images):
    good, bad = model(images, rbm(4.0), with_log_z(1.0, float("inf"))), model(images, rbm(0.0))
    found = compare_networks(good, bad, images, same_test_rows=True)
    # At weight 0 each pixel is a fair coin; the third and fourth are one in both.
    assert (found.metric, found.old) == ("pseudo_likelihood", pytest.approx(4 * np.log(0.5)))
    assert found.wins


def test_stacks_are_compared_by_their_bound_at_any_size(images):
    """Of a stack of one RBM the bound is the log-probability."""
    models = []
    for network in (rbm(4.0), rbm(0.0, n_hidden=2)):
        stack = DBN(DBNConfig(n_visible=4, hidden_sizes=(network.config.n_hidden,)))
        stack.rbms[0].load_state_dict(network.state_dict())
        rows = torch.from_numpy(images.pixels.reshape(N, 4) / 255).float()
        values, log_z = exact_log_probabilities(network, rows)
        models.append((model(images, stack, with_log_z(log_z, log_z)), values))
    (good, new), (bad, old) = models
    found = compare_networks(good, bad, images, same_test_rows=True)
    assert (found.metric, found.new) == ("log_prob_bound", pytest.approx(new.mean(), rel=1e-5))
    assert found.old == pytest.approx(old.mean(), rel=1e-5)
    assert found.wins


class Shrinking(Autoencoder):
    """An autoencoder whose reconstruction is a known multiple of its input."""

    factor = 1.0

    def reconstruct(self, x):
        return self.factor * x


def shrinking(factor, latent_size=2):
    found = Shrinking(AutoencoderConfig(n_inputs=4, latent_size=latent_size))
    found.factor = factor
    return found


def test_autoencoders_are_compared_by_the_reconstruction_at_equal_size_alone(images):
    good, bad = model(images, shrinking(0.9)), model(images, shrinking(0.5))
    found = compare_networks(good, bad, images, same_test_rows=True)
    bright = (images.pixels.reshape(N, 4) / 255.0).mean(1)
    assert (found.metric, found.new) == ("reconstruction_mse", pytest.approx(0.01 * bright.mean(), rel=1e-4))
    expected = stats.ttest_rel(0.01 * bright, 0.25 * bright).confidence_interval(0.95)
    np.testing.assert_allclose((found.low, found.high), expected, rtol=1e-4)
    assert found.wins
    larger = model(images, shrinking(0.9, latent_size=3))
    said = compare_networks(larger, bad, images, same_test_rows=True)
    assert said == "it encodes to 2 columns, and this one to 3"


def test_rows_that_the_champion_has_seen_are_left_out(images):
    good, bad = model(images, shrinking(0.9)), model(images, shrinking(0.5))
    said = compare_networks(good, bad, images, same_test_rows=False)
    assert said == "it was tested on other rows, and its training rows are not known"
    inputs = good.inputs(images.pixels).numpy()
    bad.seen_rows = np.unique(hash_rows(inputs[:1]))
    seen = int((inputs == inputs[0]).all(1).sum())
    found = compare_networks(good, bad, images, same_test_rows=False)
    assert (found.rows, found.left_out) == (N - seen, seen)
    bad.seen_rows = np.unique(hash_rows(inputs))
    assert "only 0 of 120 test rows" in compare_networks(good, bad, images, same_test_rows=False)


def test_networks_that_read_the_rows_otherwise_are_not_compared(tables):
    frame, models = tables.table(60), []
    for scaling in ("standard", "minmax"):
        problem = Problem(name="t", **tables.BINARY)
        split = split_raw(frame, problem, SplitSettings(), 0)
        fitted = fit_preprocessor(frame, split, problem, PreprocessingSettings(scaling=scaling), 0)
        config = AutoencoderConfig(n_inputs=fitted.data_spec.n_inputs, latent_size=2)
        models.append(TrainedModel(Shrinking(config).eval(), fitted, ModelManifest(problem="t")))
    said = compare_networks(*models, frame, same_test_rows=True)
    assert said == "its preprocessing makes other inputs of these rows"
    assert compare_networks(models[0], models[0], frame, same_test_rows=True).difference == 0
