import pytest
import torch
from helpers.seeded import seeded

from layerwise.data import ColumnBlock, DataSpec, TensorData
from layerwise.models.rbm import RBM, RBMConfig, log_pseudo_likelihood
from layerwise.models.rbm.units import UnitsError
from layerwise.training import evaluate
from layerwise.training.rbm import ContrastiveDivergence, RBMTrainingSettings, fit_rbm, rbm_config
from layerwise.training.rbm.monitor import RBMMonitor
from layerwise.utils import torch_rng


def described(*blocks, **more):
    made, start = [], 0
    for kind, size, categories in blocks:
        names = tuple(str(k) for k in range(categories))
        made.append(ColumnBlock(name=str(start), kind=kind, start=start, stop=start + size, categories=names))
        start += size
    names = tuple(str(k) for k in range(start))
    return DataSpec(
        task="binary",
        n_inputs=start,
        n_outputs=1,
        feature_names=names,
        blocks=tuple(made),
        target_names=("y",),
        **more,
    )


@pytest.mark.parametrize(
    ("blocks", "visible"),
    [
        ([("binary", 4, 0)], "bernoulli"),
        ([("real", 1, 0), ("real", 1, 0)], "gaussian"),
        ([("categorical", 5, 5), ("categorical", 5, 5)], "softmax"),
        ([("categorical", 4, 5)], "mixed"),
        ([("real", 1, 0), ("binary", 1, 0)], "mixed"),
        ([("count", 9, 0)], "counts"),
    ],
)
def test_units_follow_the_columns(blocks, visible):
    columns = described(*blocks)
    config = rbm_config(columns, RBMTrainingSettings())
    assert config.visible == visible
    assert config.n_visible == columns.n_inputs
    if visible != "counts":
        labelled = rbm_config(columns, RBMTrainingSettings(), n_classes=3)
        assert labelled.n_visible == columns.n_inputs + 3
        assert labelled.blocks[-1].groups[-1] == 3
    RBM(config)


def test_counts_have_no_label_units():
    with pytest.raises(UnitsError, match="beside counts"):
        rbm_config(described(("count", 9, 0)), RBMTrainingSettings(), n_classes=2)


def test_only_the_pseudo_likelihood_may_choose_an_epoch():
    assert RBMTrainingSettings(monitor="validation/pseudo_likelihood").monitor
    with pytest.raises(ValueError, match="not chosen by its reconstruction error"):
        RBMTrainingSettings(monitor="validation/reconstruction")
    with pytest.raises(ValueError, match="known: validation/pseudo_likelihood"):
        RBMTrainingSettings(monitor="validation/free_energy_gap")


def test_the_monitor_measures_its_samples_exactly():
    rbm = RBM(rbm_config(described(("binary", 5, 0)), RBMTrainingSettings(n_hidden=3)), seeded())
    rbm.weight.normal_(generator=seeded())
    training, validation = torch.rand(2, 8, 5, generator=seeded()).round()
    found = RBMMonitor(rbm, training, validation, 4).epoch_metrics(None)
    assert found["train/pseudo_likelihood"] == pytest.approx(
        float(log_pseudo_likelihood(rbm, training[:4]).mean())
    )
    gap = rbm.free_energy(validation).mean() - rbm.free_energy(training).mean()
    assert found["validation/free_energy_gap"] == pytest.approx(float(gap), abs=1e-6)
    assert found["norm/weight"] == pytest.approx(float(rbm.weight.square().sum().sqrt()))


def test_the_epoch_of_the_best_pseudo_likelihood_is_kept():
    columns = described(("binary", 6, 0))
    training, validation = (
        torch.rand(30, 6, generator=seeded()).round(),
        torch.rand(200, 6, generator=seeded(1)).round(),
    )
    # Few training rows and a high rate: the RBM soon overfits.
    settings = RBMTrainingSettings(
        n_hidden=30,
        epochs=25,
        batch_size=10,
        learning_rate=0.5,
        pseudo_likelihood_rows=200,
        monitor="validation/pseudo_likelihood",
    )
    rbm = RBM(rbm_config(columns, settings), seeded(2))
    history = fit_rbm(rbm, TensorData(training), TensorData(validation), settings, 0).history["rbm"]
    values = [epoch["validation/pseudo_likelihood"] for epoch in history]
    assert max(values) > values[-1] + 0.1
    assert float(log_pseudo_likelihood(rbm, validation).mean()) == pytest.approx(max(values), abs=1e-4)


def test_the_mean_of_the_last_epochs_weights_is_kept():
    def weights(epochs, averaged_epochs):
        settings = RBMTrainingSettings(
            n_hidden=5, epochs=epochs, batch_size=10, chain="persistent", averaged_epochs=averaged_epochs
        )
        rbm = RBM(rbm_config(columns, settings), seeded(2))
        result = fit_rbm(rbm, training, None, settings, 0)
        return rbm.state_dict(), result.history["rbm"]

    columns, training = described(("binary", 6, 0)), TensorData(torch.rand(30, 6, generator=seeded()).round())
    (third, _), (fourth, _), (last, metrics) = weights(3, 0.0), weights(4, 0.0), weights(5, 0.0)
    found, measured = weights(5, 0.6)
    for name, value in found.items():
        assert torch.allclose(value, (third[name] + fourth[name] + last[name]) / 3, atol=1e-6)
    assert not torch.allclose(found["weight"], last["weight"], atol=1e-3)
    # What an epoch reports is of its own weights.
    assert measured[-1]["norm/weight"] == metrics[-1]["norm/weight"]


@pytest.mark.parametrize("rate", [0.001, 0.01, 0.1])
@pytest.mark.parametrize("learn_variance", [False, True])
def test_real_and_categorical_columns_improve_over_two_decades_of_rates(rate, learn_variance):
    columns = described(
        ("real", 1, 0), ("real", 1, 0), ("real", 1, 0), ("categorical", 3, 3), ("binary", 1, 0)
    )
    rng = seeded(3)
    group = torch.randint(3, (1200,), generator=rng)
    middles = torch.tensor([[-1.2, 0.0, 1.2], [1.0, -1.0, 0.3], [0.0, 1.2, -1.2]])[group]
    real = middles + 0.6 * torch.randn(1200, 3, generator=rng)
    real = (real - real.mean(0)) / real.std(0)
    rest = torch.cat([torch.nn.functional.one_hot(group, 3).float(), (group == 1).float()[:, None]], 1)
    rows = torch.cat([real, rest], 1)
    settings = RBMTrainingSettings(
        n_hidden=20, epochs=15, batch_size=20, gaussian_learning_rate=rate, learn_variance=learn_variance
    )
    rbm = RBM(rbm_config(columns, settings), seeded(4))
    history = fit_rbm(rbm, TensorData(rows[:1000]), TensorData(rows[1000:]), settings, 0).history["rbm"]
    for name, sign in (("pseudo_likelihood", 1), ("reconstruction", -1)):
        values = [sign * epoch[f"validation/{name}"] for epoch in history]
        assert values[-1] > values[0], name
    assert all(torch.isfinite(value).all() for value in rbm.parameters())


def test_unmeasured_scores_cannot_choose():
    columns = described(("count", 3, 0))
    settings = RBMTrainingSettings(n_hidden=2, epochs=1, batch_size=2, monitor="validation/pseudo_likelihood")
    rbm = RBM(rbm_config(columns, settings), seeded())
    with pytest.raises(UnitsError, match="not measured"):
        fit_rbm(rbm, TensorData(torch.ones(4, 3)), TensorData(torch.ones(4, 3)), settings, 0)


def clustered(n, seed):
    """Rows around three centers, standardised."""
    rng = torch.Generator().manual_seed(seed)
    centers = torch.tensor([[1.2, -0.8, 0.9, 0.0], [-1.0, 1.1, 0.0, 0.9], [0.0, 0.0, -1.2, -1.1]])
    rows = centers[torch.randint(0, 3, (n,), generator=rng)]
    rows = rows + 0.4 * torch.randn(n, 4, generator=rng)
    return (rows - rows.mean(0)) / rows.std(0)


@pytest.mark.parametrize("rate", [0.001, 0.01, 0.1])
def test_a_centered_gaussian_rbm_learns_at_rates_two_decades_apart(rate):
    settings = RBMTrainingSettings(
        n_hidden=64,
        visible="gaussian",
        learn_variance=True,
        centered=True,
        gaussian_learning_rate=rate,
        epochs=6,
    )
    shape = RBMConfig(n_visible=4, n_hidden=64, visible="gaussian", learn_variance=True)
    rbm = RBM(shape, torch_rng(0, "machine"))
    rows, held_out = TensorData(clustered(1500, 0)), TensorData(clustered(400, 1))
    history = fit_rbm(rbm, rows, held_out, settings, 0).history["rbm"]
    first, last = history[0], history[-1]
    assert last["validation/reconstruction"] < first["validation/reconstruction"]
    assert last["validation/pseudo_likelihood"] > first["validation/pseudo_likelihood"]


def test_training_rows_are_measured_as_validation_rows_are():
    rows = TensorData(torch.rand(200, 12, generator=seeded()).round())
    rbm = RBM(RBMConfig(n_visible=12, n_hidden=6), seeded(1))
    settings = RBMTrainingSettings(epochs=2, batch_size=20)
    result = fit_rbm(rbm, rows, rows, settings, seed=0)
    plan = ContrastiveDivergence(rbm, settings, seeded(2))
    # A fiftieth of 200 rows, evenly spaced.
    measured = evaluate(plan, rows[torch.arange(4) * 50])
    (last,) = result.history.values()
    for name in ("reconstruction", "free_energy"):
        assert last[-1][f"train/{name}"] == pytest.approx(measured[name], rel=1e-6)
        assert last[-1][f"validation/{name}"] == pytest.approx(evaluate(plan, rows)[name], rel=1e-6)
