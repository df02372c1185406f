"""Deep belief networks as classifier and regressor: what they learn is what the pipeline `dbn` learns."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_diabetes, load_digits

from layerwise.data import (
    PreprocessingSettings,
    Problem,
    RowKeys,
    Split,
    SplitSettings,
    split_rest,
    split_seed,
)
from layerwise.data.preprocessing import fit_preprocessor, preprocess_rows
from layerwise.data.sources import Images
from layerwise.estimators import DBNClassifier, DBNRegressor
from layerwise.parameters import DBNSettings
from layerwise.parameters.sizing import size_pretrained_dbn, size_stack_finetuning
from layerwise.pipelines.finetuning.nodes import finetune_network, initialize_from_rbms
from layerwise.pipelines.pretraining.nodes import pretrain_rbms
from layerwise.training.rbm import PretrainingSettings
from layerwise.training.supervised import FinetuningSettings
from layerwise.utils import UserError


def open_settings(kind, **given):
    return kind(**dict.fromkeys(kind.names_by_rule()) | given)


@pytest.fixture(scope="module")
def digits():
    x, y = load_digits(return_X_y=True)
    return x / 16, y


def test_a_network_has_the_weights_that_the_pipelines_nodes_give_it(digits):
    x, y = digits[0][:300], digits[1][:300]
    arguments = {"pretraining_epochs": 2, "epochs": 3, "image_shape": (8, 8), "random_state": 5}
    estimator = DBNClassifier((20, 10), **arguments).fit(x, y)

    settings = SplitSettings()
    training, validation = split_rest(np.arange(300), y, settings, split_seed(settings, 5), RowKeys())
    split = Split(training=training, validation=validation, test=[])
    problem = Problem(name="same", task="multiclass", reading={"pixel_range": (0, 1)})
    images = Images(x.reshape(-1, 8, 8), y)
    preprocessor = fit_preprocessor(images, split, problem, PreprocessingSettings(), 5)
    rows, others, _ = preprocess_rows(images, split, preprocessor)
    columns = preprocessor.data_spec
    given = (
        DBNSettings(hidden_sizes=(20, 10)),
        open_settings(FinetuningSettings, epochs=3),
        open_settings(PretrainingSettings, epochs=2),
    )
    dbn, pretraining = size_pretrained_dbn(columns, rows, rows, *given)
    finetuning = size_stack_finetuning(columns, rows, rows, given[1])
    stack, _ = pretrain_rbms(rows, others, columns, dbn, pretraining, 5)
    network = initialize_from_rbms(stack, columns, dbn, finetuning, 5)
    network, _ = finetune_network(network, rows, others, columns, finetuning, 5, pretraining=pretraining)
    for name, values in network.state_dict().items():
        torch.testing.assert_close(estimator.network_.state_dict()[name], values, rtol=0, atol=0)


def test_pixels_have_bernoulli_units_and_numbers_gaussian_ones(digits):
    x, y = digits[0][:100], digits[1][:100]
    quick = {"pretraining_epochs": 1, "epochs": 1, "random_state": 0}
    with pytest.raises(UserError, match="Bernoulli visible units take values from 0 to 1"):
        DBNClassifier((8,), visible="bernoulli", **quick).fit(x, y)
    DBNClassifier((8,), visible="bernoulli", image_shape=(8, 8), **quick).fit(x, y)
    DBNClassifier((8,), visible="gaussian", **quick).fit(x, y)


def test_frozen_layers_keep_what_pretraining_gave_them(digits):
    x, y = digits[0][:200], digits[1][:200]
    given = {"hidden_sizes": (12,), "pretraining_epochs": 2, "image_shape": (8, 8), "random_state": 0}
    short, longer = (DBNClassifier(freeze=True, epochs=n, **given).fit(x, y) for n in (1, 6))
    assert torch.equal(short.network_.hidden[0].weight, longer.network_.hidden[0].weight)
    assert not torch.equal(short.network_.output.weight, longer.network_.output.weight)


def test_a_saved_one_predicts_the_same(tmp_path):
    x, y = load_diabetes(return_X_y=True, as_frame=True)
    one = DBNRegressor((16,), pretraining_epochs=2, epochs=40, learning_rate=0.02, random_state=0).fit(x, y)
    assert one.score(x, y) > 0.4
    two = DBNRegressor.load(one.save(tmp_path))
    np.testing.assert_array_equal(one.predict(x), two.predict(x))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"steps": 0}, "steps: .*greater than or equal to 1"),
        ({"pretraining_epochs": [3, 0]}, "pretraining_epochs: has to be above 0 for every layer"),
        ({"settings": {"pretraining": {"chian": "persistent"}}}, "did you mean 'chain'"),
        ({"settings": {"dbn": {"hidden_sizes": [3]}}}, "dbn.hidden_sizes is the argument hidden_sizes"),
    ],
)
def test_wrong_arguments_are_named(digits, given, message):
    with pytest.raises(UserError, match=message):
        DBNClassifier(**given).fit(*digits)
