import pytest
import torch
from helpers.seeded import seeded
from torch.nn import functional

from layerwise.data import TensorData
from layerwise.models import MLP, MLPConfig
from layerwise.models.rbm import DBN, DBNConfig, log_pseudo_likelihood
from layerwise.training import TrainingError, fit, greedy
from layerwise.training.rbm import ContrastiveDivergence, PretrainingSettings, pretrain_dbn


def stack(hidden_sizes=(6, 5, 4), visible="bernoulli"):
    return DBN(DBNConfig(n_visible=8, hidden_sizes=hidden_sizes, visible=visible), seeded())


def rows(n=90, seed=1):
    """Rows of two patterns and noise, grey values within [0, 1]."""
    rng = seeded(seed)
    patterns = torch.tensor([[1.0, 1, 1, 1, 0, 0, 0, 0], [0, 1, 0, 1, 0, 1, 0, 1]])
    chosen = patterns[torch.randint(0, 2, (n,), generator=rng)]
    return TensorData(0.1 + 0.8 * chosen * torch.rand(n, 8, generator=rng))


def settings(**changes):
    return PretrainingSettings(**{"epochs": 3, "batch_size": 20} | changes)


@pytest.fixture
def calls(monkeypatch):
    """What each layer was trained on and by, as the layer's training began and ended."""
    seen = []

    def spy(plan, training, **options):
        state = {name: value.clone() for name, value in plan.rbm.state_dict().items()}
        seen.append({"plan": plan, "training": training, "start": state, **options})
        return fit(plan, training, **options)

    monkeypatch.setattr(greedy, "fit", spy)
    return seen


def test_every_layer_learns_and_reaches_the_classifier():
    dbn, before = stack(), stack()
    pretrain_dbn(dbn, rows(), None, settings(), seed=0)
    for trained, first in zip(dbn.rbms, before.rbms, strict=True):
        for name in ("weight", "visible_bias", "hidden_bias"):
            assert not torch.equal(getattr(trained, name), getattr(first, name)), name
    network = MLP(MLPConfig(n_inputs=8, n_outputs=2, hidden_sizes=(6, 5, 4)), seeded(3))
    dbn.copy_to(network)
    for depth in (1, 2, 3):
        # Float32 sums in another order; nothing else may differ.
        found, expected = network.encode(rows().inputs, depth), dbn.encode(rows().inputs, depth)
        torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-7)


def test_each_layer_is_trained_on_the_mean_activations_of_the_one_below(calls):
    dbn, validation = stack(), rows(30, seed=2)
    pretrain_dbn(dbn, rows(), validation, settings(epochs=40, learning_rate=0.5), seed=0)
    assert len(calls) == 3
    inputs, held_out = rows().inputs, validation.inputs
    for call, rbm in zip(calls, dbn.rbms, strict=True):
        assert call["plan"].rbm is rbm
        assert isinstance(call["plan"], ContrastiveDivergence)
        torch.testing.assert_close(call["training"].inputs, inputs, rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(call["validation"].inputs, held_out, rtol=1e-5, atol=1e-6)
        assert inputs.std(0).max() > 0.1  # the rows' activations differ, so that the wrong ones would show
        ones = inputs.sum(0)
        odds = torch.log((ones + 0.5) / (90 - ones + 0.5))
        torch.testing.assert_close(call["start"]["visible_bias"], odds, rtol=1e-4, atol=1e-5)
        inputs = torch.sigmoid(inputs @ rbm.weight + rbm.hidden_bias)
        held_out = torch.sigmoid(held_out @ rbm.weight + rbm.hidden_bias)


def test_activations_can_be_samples_of_the_binary_states(calls):
    dbn = stack(hidden_sizes=(6, 5))
    pretrain_dbn(dbn, rows(4000), rows(500, seed=2), settings(features="samples", epochs=1), seed=0)
    for name, below in (("training", rows(4000)), ("validation", rows(500, seed=2))):
        samples, mean = calls[1][name].inputs, dbn.rbms[0].hidden_mean(below.inputs)
        assert set(samples.unique().tolist()) == {0.0, 1.0}
        error = (mean * (1 - mean)).sum(0).sqrt() / len(mean)
        assert ((samples - mean).mean(0).abs() < 5 * error).all()


def test_a_gaussian_first_layer_learns_at_its_own_rate(calls):
    dbn = stack(hidden_sizes=(6, 5), visible="gaussian")
    inputs = torch.randn(90, 8, generator=seeded())
    pretrain_dbn(dbn, TensorData(inputs), None, settings(gaussian_learning_rate=0.002), seed=0)
    assert [call["plan"].settings.learning_rate for call in calls] == [0.002, 0.1]
    torch.testing.assert_close(calls[0]["start"]["visible_bias"], inputs.mean(0))


def clustered(n, seed):
    """Rows around three centers, standardised."""
    centers = torch.tensor([[1.2, -0.8, 0.9, 0.0], [-1.0, 1.1, 0.0, 0.9], [0.0, 0.0, -1.2, -1.1]])
    chosen = centers[torch.randint(0, 3, (n,), generator=seeded(seed))]
    chosen = chosen + 0.4 * torch.randn(n, 4, generator=seeded(seed + 9))
    return (chosen - chosen.mean(0)) / chosen.std(0)


@pytest.mark.parametrize("rate", [0.002, 0.02, 0.2])
def test_a_gaussian_first_layer_learns_at_rates_two_decades_apart_by_default(rate):
    chosen = PretrainingSettings(epochs=6, gaussian_learning_rate=rate)
    shape = DBNConfig(
        n_visible=4, hidden_sizes=(64,), visible="gaussian", learn_variance=chosen.learn_variance
    )
    dbn, start = DBN(shape, seeded()), DBN(shape, seeded())
    training, held_out = clustered(1500, 0), clustered(400, 1)
    start.rbm_layers()[0].initialize_from(training)
    pretrain_dbn(dbn, TensorData(training), TensorData(held_out), chosen, 0)
    before, after = (
        float(log_pseudo_likelihood(each.rbm_layers()[0], held_out).mean()) for each in (start, dbn)
    )
    assert after > before
    assert (dbn.reconstruct(held_out) - held_out).square().mean() < (
        (start.reconstruct(held_out) - held_out).square().mean()
    )


def test_the_rate_of_gaussian_units_falls_by_the_same_factor_as_the_others():
    chosen = settings(learning_rate=(0.1, 0.2), gaussian_learning_rate=0.004, final_learning_rate=0.05)
    gaussian, binary = chosen.for_layer(0, gaussian=True), chosen.for_layer(1, gaussian=False)
    assert (gaussian.learning_rate, gaussian.final_learning_rate) == pytest.approx((0.004, 0.002))
    assert (binary.learning_rate, binary.final_learning_rate) == (0.2, 0.05)
    constant = settings(final_learning_rate=None).for_layer(0, gaussian=True)
    assert constant.final_learning_rate is None


def test_a_list_gives_each_layer_its_own_value(calls):
    chosen = settings(epochs=(1, 3, 2), learning_rate=(0.1, 0.05, 0.2), momentum=0.3)
    found = pretrain_dbn(stack(), rows(), None, chosen, seed=0)
    assert [len(found.history[f"layer_{k}"]) for k in (1, 2, 3)] == [1, 3, 2]
    assert [call["plan"].settings.learning_rate for call in calls] == [0.1, 0.05, 0.2]
    assert {call["plan"].settings.momentum for call in calls} == {0.3}
    assert [call["name"] for call in calls] == [f"pretraining layer {k} of 3" for k in (1, 2, 3)]


@pytest.mark.parametrize("name", ["epochs", "learning_rate"])
def test_a_list_that_is_too_short_is_refused_before_any_layer_learns(name, calls):
    dbn, before = stack(), stack()
    values = (1, 1) if name == "epochs" else (0.1, 0.1)
    with pytest.raises(TrainingError, match=rf"pretraining\.{name} has 2 value.*layer 3"):
        pretrain_dbn(dbn, rows(), None, settings(**{name: values}), seed=0)
    assert calls == []
    assert all(torch.equal(a, b) for a, b in zip(dbn.parameters(), before.parameters(), strict=True))


@pytest.mark.parametrize(
    "values", [{"epochs": 0}, {"epochs": (3, 0)}, {"learning_rate": (0.1, -0.1)}, {"epochs": ()}]
)
def test_values_have_to_be_above_zero_for_every_layer(values):
    with pytest.raises(ValueError, match="above 0 for every layer"):
        PretrainingSettings(**values)


def test_every_setting_of_the_rbms_reaches_them():
    chosen = settings(
        final_learning_rate=0.01,
        momentum=0.1,
        final_momentum=0.2,
        momentum_epochs=7,
        weight_decay=0.3,
        steps=4,
        sample_visible=True,
    )
    found = chosen.for_layer(1, gaussian=False)
    assert found.model_dump().items() <= chosen.model_dump().items()


def test_dynamic_binarization_samples_anew_for_the_first_rbm_alone(calls):
    pretrain_dbn(
        stack(hidden_sizes=(6, 5)), rows(), None, settings(epochs=1), seed=0, dynamic_binarization=True
    )
    binarize = calls[0]["transform"]
    first, second = binarize(rows().inputs), binarize(rows().inputs)
    assert set(first.unique().tolist()) == {0.0, 1.0}
    assert not torch.equal(first, second)
    assert calls[1]["transform"] is None
    assert torch.equal(calls[0]["training"].inputs, rows().inputs)


@pytest.mark.parametrize("visible", ["bernoulli", "gaussian"])
def test_the_stages_are_the_start_and_three_more_epochs_of_one_row(visible):
    dbn = stack(hidden_sizes=(6,), visible=visible)
    training = rows()
    found = pretrain_dbn(dbn, training, None, settings(epochs=12), seed=0)
    assert [epoch for epoch, _, _ in found.reconstruction_history] == [0, 1, 3, 12]
    assert torch.equal(found.row, training.inputs[0])
    for _, mean, loss in found.reconstruction_history:
        if visible == "bernoulli":
            expected = -(found.row * mean.log() + (1 - found.row) * (1 - mean).log()).sum()
        else:
            expected = (mean - found.row).square().sum() / 2
        assert loss == pytest.approx(float(expected), rel=1e-5)
    torch.testing.assert_close(found.reconstruction_history[-1][1], dbn.reconstruct(training.inputs[:1])[0])
    first = stack(hidden_sizes=(6,), visible=visible)
    first.rbms[0].initialize_from(training.inputs)
    torch.testing.assert_close(found.reconstruction_history[0][1], first.reconstruct(training.inputs[:1])[0])


def test_the_history_holds_the_metrics_of_the_validation_rows():
    dbn, validation = stack(hidden_sizes=(6,)), rows(30, seed=2)
    found = pretrain_dbn(dbn, rows(), validation, settings(), seed=0)
    last = found.history["layer_1"][-1]
    mean = dbn.reconstruct(validation.inputs)
    loss = functional.binary_cross_entropy(mean, validation.inputs, reduction="none").sum(1).mean()
    assert last["validation/reconstruction"] == pytest.approx(float(loss), rel=1e-5)
    energy = dbn.rbms[0].free_energy(validation.inputs).mean()
    assert last["validation/free_energy"] == pytest.approx(float(energy), rel=1e-5)
    assert found.seconds == pytest.approx(sum(entry["seconds"] for entry in found.history["layer_1"]))


@pytest.mark.parametrize("features", ["probabilities", "samples"])
def test_the_same_seed_gives_the_same_bits_and_another_one_others(features):
    results = []
    for k, seed in enumerate((4, 4, 5)):
        torch.manual_seed(k)
        dbn = stack()
        chosen = settings(features=features, sample_visible=True)
        pretrain_dbn(dbn, rows(), rows(20, seed=2), chosen, seed)
        results.append(list(dbn.parameters()))
    assert all(torch.equal(a, b) for a, b in zip(results[0], results[1], strict=True))
    for layer in range(3):
        assert not torch.equal(results[0][3 * layer], results[2][3 * layer])


def test_validation_rows_and_targets_do_not_touch_what_is_learned():
    plain, watched = stack(), stack()
    given = rows()
    pretrain_dbn(plain, given, None, settings(), seed=0)
    pretrain_dbn(watched, TensorData(given.inputs, torch.arange(90)), rows(20, seed=2), settings(), seed=0)
    assert all(torch.equal(a, b) for a, b in zip(plain.parameters(), watched.parameters(), strict=True))


def test_a_layer_that_fails_is_named():
    with pytest.raises(TrainingError, match=r"pretraining layer 1 of 2: .*epoch \d+.*learning rate"):
        pretrain_dbn(
            stack(hidden_sizes=(6, 5), visible="gaussian"),
            TensorData(100 * torch.randn(90, 8, generator=seeded())),
            None,
            settings(gaussian_learning_rate=10.0, epochs=40),
            seed=0,
        )
