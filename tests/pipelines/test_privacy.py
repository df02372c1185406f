"""What the rows that a network of a table samples tell of its training rows."""

import pytest
import torch
from helpers.small_models import wine

from layerwise.data import PreprocessingSettings, SplitSettings, split_raw
from layerwise.data.preprocessing import fit_preprocessor, preprocess_rows
from layerwise.models.rbm import RBM, RBMConfig
from layerwise.pipelines.privacy import chain_steps, measure_sampled_rows
from layerwise.utils import torch_rng


class CopyingRBM(RBM):
    """An RBM whose chains end at rows that it is given."""

    def gibbs(self, start, steps, rng, clamped=None):
        return self.rows[torch.arange(len(start)) % len(self.rows)]


@pytest.fixture(scope="module")
def parts():
    raw, problem = wine()
    split = split_raw(raw, problem, SplitSettings(test_fraction=0.4), 0)
    preprocessor = fit_preprocessor(raw, split, problem, PreprocessingSettings(), 0)
    training, _, test = preprocess_rows(raw, split, preprocessor)
    return preprocessor, training, test


def metrics_of(rows, parts):
    preprocessor, training, test = parts
    config = RBMConfig(n_visible=training.inputs.shape[1], n_hidden=2, visible="gaussian")
    rbm = CopyingRBM(config, torch_rng(0, "w"))
    rbm.rows = rows
    return measure_sampled_rows(rbm, preprocessor, training, test, 0)


def test_an_rbm_that_samples_its_training_rows_is_found(parts):
    found = metrics_of(parts[1].inputs, parts)
    assert found["test/memorization_ratio"] < 0.01
    assert found["test/membership_auc_low"] > 0.9


def test_rows_that_nothing_was_learnt_from_give_no_training_row_away(parts):
    preprocessor, training, test = parts
    found = metrics_of(test.inputs[::2], (preprocessor, training, type(test)(test.inputs[1::2])))
    assert found["test/memorization_ratio"] > 0.8
    assert found["test/membership_auc_low"] < 0.55


@pytest.mark.parametrize(("n_hidden", "steps"), [(10, 1000), (200, 497), (20_000, 100)])
def test_chains_of_a_large_network_take_fewer_steps(n_hidden, steps):
    rbm = RBM(RBMConfig(n_visible=29, n_hidden=n_hidden))
    found = chain_steps(rbm, 1000)
    assert found == steps
