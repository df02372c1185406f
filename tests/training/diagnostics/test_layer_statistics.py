import math
import re
import time

import pytest
import torch
from helpers.digits import embedded_digits

from layerwise.data import TensorData
from layerwise.models import ACTIVATIONS, INITIALIZERS, MLP, MLPConfig
from layerwise.training import TrainingError
from layerwise.training.diagnostics import LayerStatistics
from layerwise.training.diagnostics.diagnosis import REMEDIES, gradient_ratio
from layerwise.training.diagnostics.layer_statistics import has_identical_units, layer_statistics
from layerwise.training.supervised import FinetuningSettings, finetune


@pytest.fixture(scope="module")
def digits():
    pixels, labels = embedded_digits()
    order = torch.randperm(5000, generator=torch.Generator().manual_seed(0))[:1500]
    return TensorData(torch.tensor(pixels / 255).float()[order], torch.tensor(labels).long()[order])


def watched_training(rows, seed=0, epochs=2, sizes=(50,) * 10, settings=None, **shape):
    config = MLPConfig(n_inputs=rows.inputs.shape[1], n_outputs=10, hidden_sizes=sizes, **shape)
    net = MLP(config, torch.Generator().manual_seed(seed))
    statistics = LayerStatistics(net, rows[slice(0, 256)], report=False)
    chosen = FinetuningSettings(**{"epochs": epochs, "batch_size": 50} | (settings or {}))
    try:
        finetune(
            net, "multiclass", rows, rows[slice(0, 200)], chosen, seed, callbacks=[statistics], silent=True
        )
    except TrainingError:
        assert settings  # only the nets that are meant to break may break
    return statistics


@pytest.mark.parametrize("kind", REMEDIES)
def test_a_remedy_names_only_settings_activations_and_initializers_that_there_are(kind):
    # A name with an underscore or a figure in it, or one that a value follows.
    names = [
        name
        for name, value in re.findall(r"\b([a-z]\w*)(: \w+)?", REMEDIES[kind])
        if value or re.search(r"[_0-9]", name)
    ]
    known = {*FinetuningSettings.model_fields, *ACTIVATIONS, *INITIALIZERS}
    assert [name for name in names if name not in known] == []


def test_the_derivative_of_a_sigmoid_is_at_most_a_quarter():
    x = torch.linspace(-50, 50, 100_001, dtype=torch.float64, requires_grad=True)
    (derivative,) = torch.autograd.grad(x.sigmoid().sum(), x)
    assert float(derivative.max()) == 0.25
    assert float(x[derivative.argmax()].detach()) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("n", [1, 5, 10])
def test_n_sigmoid_layers_multiply_to_at_most_four_to_the_minus_n(n):
    # A chain of single units with weights of 1: the derivative is the product of the derivatives.
    x = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    value = x
    for _ in range(n):
        value = (value - value.detach()).sigmoid()  # each unit at 0, where its derivative is largest
    (derivative,) = torch.autograd.grad(value, x)
    assert float(derivative) == pytest.approx(4.0**-n, rel=1e-12)
    x = torch.randn(1000, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    value = x
    for _ in range(n):
        value = value.sigmoid()
    (derivatives,) = torch.autograd.grad(value.sum(), x)
    assert float(derivatives.max()) <= 4.0**-n


def test_a_weight_of_500_with_a_derivative_of_a_fifth_multiplies_by_a_hundred_a_layer():
    # sigmoid'(z) = 0.2 where sigmoid(z) (1 - sigmoid(z)) = 0.2.
    s = (1 + math.sqrt(1 - 0.8)) / 2
    z = math.log(s / (1 - s))
    h = torch.tensor(0.3, dtype=torch.float64, requires_grad=True)
    value = h
    for _ in range(3):
        total = 500 * value
        value = (
            total + (z - total.detach())
        ).sigmoid()  # the bias puts every unit where its derivative is 0.2
    (derivative,) = torch.autograd.grad(value, h)
    assert float(derivative) == pytest.approx(100.0**3, rel=1e-9)
    # The step of the example: rate 0.9 from a weight of 300.
    assert 300 - 0.9 * 100 * 100 * 50 < -400_000


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_ten_sigmoid_layers_vanish(digits, seed):
    statistics = watched_training(digits, seed, activation="sigmoid", initializer="glorot_uniform")
    (diagnosis,) = statistics.diagnoses()
    assert diagnosis.startswith("vanishing: the gradient of layer_1 is ")
    assert "relu" in diagnosis
    # Nine derivatives of at most 1/4 lie between the two layers.
    assert gradient_ratio(statistics.epochs[0]) < 1e-3


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_gain_of_three_explodes(digits, seed):
    shape = {"activation": "relu", "initializer": "he_uniform", "initializer_gain": 3.0}
    adam = watched_training(digits, seed, **shape)
    assert adam.diagnoses()[0].startswith("exploding: the gradient of every layer is above 1")
    broken = watched_training(digits, seed, settings={"optimizer": "sgd", "learning_rate": 0.1}, **shape)
    assert broken.diagnoses()[0].startswith("exploding: ")
    assert "clip_norm" in broken.diagnoses()[0]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_he_and_relu_get_no_diagnosis(digits, seed):
    assert watched_training(digits, seed, activation="relu", initializer="he_uniform").diagnoses() == []


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize(
    ("sizes", "activation", "initializer"),
    [
        ((500, 500, 1000), "relu", "he_uniform"),
        ((500, 500, 1000), "sigmoid", "glorot_uniform"),
        ((64, 32), "relu", "he_uniform"),
        ((100, 100), "tanh", "glorot_normal"),
        ((30,), "sigmoid", "normal"),
    ],
)
def test_ordinary_nets_get_no_diagnosis(digits, seed, sizes, activation, initializer):
    shape = {"activation": activation, "initializer": initializer}
    assert watched_training(digits, seed, epochs=1, sizes=sizes, **shape).diagnoses() == []


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_dead_saturated_and_symmetric_nets_are_called_so(digits, seed):
    dead = watched_training(
        digits, seed, sizes=(50, 50), activation="relu", bias_initializer="constant", bias_constant=-20.0
    )
    assert dead.diagnoses()[0].startswith("dead: ")
    saturated = watched_training(digits, seed, sizes=(50, 50), activation="sigmoid", initializer_gain=60.0)
    assert any(diagnosis.startswith("saturated: ") for diagnosis in saturated.diagnoses())
    zero = watched_training(
        digits, seed, sizes=(50, 50), activation="sigmoid", initializer="zeros", output_initializer="zeros"
    )
    assert zero.diagnoses()[0].startswith("symmetric: all units of layer_1 and layer_2")


def test_statistics_of_a_layer_are_what_they_say():
    values = torch.tensor([[0.0, 1.0, 0.99, 0.5], [0.0, 0.0, 0.5, 0.5]])
    relu = layer_statistics("relu", values)
    assert relu["dead"] == 0.25
    assert relu["activation_mean"] == pytest.approx(float(values.mean()))
    assert layer_statistics("sigmoid", values)["saturated"] == pytest.approx(5 / 8)
    assert layer_statistics("linear", values)["saturated"] == layer_statistics("linear", values)["dead"] == 0
    assert has_identical_units(torch.ones(3, 2))
    assert not has_identical_units(torch.eye(3))


def test_gradients_and_updates_are_those_of_the_steps(digits):
    # One batch of all rows by plain gradient descent: update = rate x gradient, both known exactly.
    statistics = watched_training(
        digits,
        epochs=1,
        sizes=(20,),
        settings={"optimizer": "sgd", "learning_rate": 0.1, "batch_size": "all"},
    )
    net = MLP(MLPConfig(n_inputs=784, n_outputs=10, hidden_sizes=(20,)), torch.Generator().manual_seed(0))
    loss = torch.nn.functional.cross_entropy(net(digits.inputs), digits.targets)
    for layer, weight in zip(statistics.epochs[0].layers, net.weights(), strict=True):
        (gradient,) = torch.autograd.grad(loss, weight, retain_graph=True)
        assert layer.gradient == pytest.approx(float(gradient.norm()) / math.sqrt(weight.numel()), rel=1e-4)
        assert layer.update_ratio == pytest.approx(0.1 * float(gradient.norm() / weight.norm()), rel=1e-3)


def test_layer_statistics_take_less_than_a_twentieth_of_an_epoch(digits):
    shape = {"n_inputs": 784, "n_outputs": 10, "hidden_sizes": (200, 200), "activation": "relu"}
    net = MLP(MLPConfig(**shape), torch.Generator().manual_seed(0))
    statistics = LayerStatistics(net, digits, report=False)
    spent = 0.0

    def timed(event):
        def run(*given):
            nonlocal spent
            began = time.process_time()
            event(*given)
            spent += time.process_time() - began

        return run

    settings = FinetuningSettings(epochs=4, batch_size=10)
    began = time.process_time()
    for name in ("on_epoch_start", "on_batch_end", "on_epoch_end"):
        setattr(statistics, name, timed(getattr(statistics, name)))
    finetune(
        net, "multiclass", digits, digits[slice(0, 200)], settings, 0, callbacks=[statistics], silent=True
    )
    assert spent < 0.05 * (time.process_time() - began)
    held = [value for value in vars(statistics).values() if isinstance(value, torch.Tensor)]
    assert sum(value.numel() for value in held) == 256 * 784  # the sample of rows, and nothing else
