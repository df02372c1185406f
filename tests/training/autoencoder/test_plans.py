import math

import pytest
import torch
from helpers.seeded import seeded

from layerwise.data import ColumnBlock, DataSpec, TensorData
from layerwise.data.transforms import Corruption
from layerwise.models.autoencoder import (
    VAE,
    Autoencoder,
    AutoencoderConfig,
    VAEConfig,
    kl_divergence,
    mean_jacobian_norm,
)
from layerwise.training import fit
from layerwise.training.autoencoder import AutoencoderSettings, SAESettings, build_autoencoder
from layerwise.training.autoencoder.latent_penalties import (
    Contraction,
    EncodedBatch,
    KLSparsity,
    L1Sparsity,
    kl_sparsity,
)
from layerwise.training.autoencoder.plans import ReconstructionPlan, VariationalPlan
from layerwise.training.autoencoder.registry import find_variant
from layerwise.training.optim import OptimizerSettings


def rows(n=200, d=20):
    """Rows of 4 latent causes."""
    causes = torch.rand(n, 4, generator=seeded(1)).round()
    patterns = torch.rand(4, d, generator=seeded(2)).round()
    return TensorData((causes @ patterns).clamp(0, 1))


def reconstruction_plan(penalties=(), kind="none", level=0.0, directions=None, **shape):
    network = Autoencoder(AutoencoderConfig(**{"n_inputs": 20, "latent_size": 10} | shape), seeded())
    settings = OptimizerSettings(learning_rate=0.02)
    return ReconstructionPlan(network, settings, Corruption(kind, level, seeded(3)), penalties, directions)


def variational_plan(**settings):
    network = VAE(VAEConfig(n_inputs=20, hidden_sizes=(12,), latent_size=4), seeded())
    chosen = AutoencoderSettings(variant="variational", learning_rate=0.01, **settings)
    return VariationalPlan(network, chosen, seeded(4), seeded(5))


def train(plan, epochs=30, data=None):
    return fit(plan, data or rows(), epochs=epochs, batch_size=50, rng=seeded(6))


def test_the_kl_of_activations_is_that_of_bernoulli_distributions():
    latent = torch.rand(50, 8, generator=seeded(), dtype=torch.float64)
    target = torch.distributions.Bernoulli(torch.full((8,), 0.05, dtype=torch.float64))
    expected = torch.distributions.kl_divergence(target, torch.distributions.Bernoulli(latent.mean(0))).sum()
    assert float(kl_sparsity(latent, 0.05)) == pytest.approx(float(expected), rel=1e-4)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_units_that_are_always_off_or_on_cost_a_finite_sum_and_are_pulled_back(value):
    latent = torch.full((5, 3), value, requires_grad=True)
    cost = kl_sparsity(latent, 0.05)
    cost.backward()
    assert math.isfinite(cost.item())
    assert (latent.grad.sign() == (1 if value else -1)).all()


def test_the_batch_is_averaged_before_the_kl_divergence():
    latent = torch.tensor([[0.0], [0.1]])
    assert float(kl_sparsity(latent, 0.05)) == pytest.approx(0, abs=1e-4)


def test_penalties_are_numbers_of_each_row():
    latent = torch.tensor([[1.0, -2.0], [0.5, 0.0]])
    assert L1Sparsity(0.1)(EncodedBatch(latent)).tolist() == pytest.approx([0.3, 0.05])
    assert Contraction(0.5)(EncodedBatch(latent, torch.tensor([2.0, 4.0]))).tolist() == [1, 2]
    assert KLSparsity(1.0, 0.1)(EncodedBatch(latent.abs() / 4)).shape == (2,)


def test_mean_activations_go_to_the_target():
    plan = reconstruction_plan([KLSparsity(20.0, 0.05)])
    train(plan, 80)
    mean_activation = plan.autoencoder.encode(rows().inputs).mean(0)
    assert (mean_activation - 0.05).abs().max() < 0.03


def test_the_l1_penalty_makes_activations_smaller():
    sizes = []
    for weight in (0.0, 0.3, 3.0):
        plan = reconstruction_plan([L1Sparsity(weight)], latent_activation="relu")
        train(plan)
        sizes.append(float(plan.autoencoder.encode(rows().inputs).abs().mean()))
    assert sizes[0] > sizes[1] > sizes[2]


@pytest.mark.parametrize("estimated", [False, True])
def test_the_contraction_makes_the_jacobian_smaller(estimated):
    norms = []
    for weight in (0.0, 0.3, 3.0):
        penalties = [Contraction(weight)] if weight else []
        plan = reconstruction_plan(penalties, directions=seeded(8) if estimated else None)
        train(plan)
        norms.append(mean_jacobian_norm(plan.autoencoder, rows().inputs))
    assert norms[0] > norms[1] > norms[2]


def test_the_penalty_is_in_the_gradient():
    gradients = []
    for penalties in ([], [Contraction(0.5)]):
        plan = reconstruction_plan(penalties)
        plan.cost(rows())[0].backward()
        gradients.append(plan.autoencoder.encoder[0].weight.grad)
    assert not torch.allclose(gradients[0], gradients[1])


def test_the_loss_is_against_the_clean_row():
    plan = reconstruction_plan(kind="masking", level=1.0)
    x = rows().inputs
    # Every input is masked, so that every row has the same reconstruction; the loss still differs by row.
    _, losses = plan.cost(rows())
    of_masked = plan.autoencoder(torch.zeros_like(x))
    torch.testing.assert_close(losses["loss"], plan.autoencoder.loss(of_masked, x))


def test_nothing_is_corrupted_in_validation():
    plan = reconstruction_plan(kind="masking", level=0.9)
    found = plan.validation_step(rows())
    clean = plan.autoencoder.loss(plan.autoencoder(rows().inputs), rows().inputs)
    torch.testing.assert_close(found["loss"], clean.detach())
    assert torch.equal(found["loss"], plan.validation_step(rows())["loss"])
    assert plan.autoencoder.training


def test_a_denoising_autoencoder_removes_noise_and_a_plain_one_does_not():
    errors = {}
    noise = Corruption("salt_and_pepper", 0.2, seeded(7))
    corrupted = noise(rows().inputs)
    for kind, level in (("none", 0.0), ("salt_and_pepper", 0.2)):
        plan = reconstruction_plan(kind=kind, level=level, latent_size=30)
        train(plan, 60)
        with torch.no_grad():
            errors[kind] = float((plan.autoencoder.reconstruct(corrupted) - rows().inputs).square().mean())
    before = float((corrupted - rows().inputs).square().mean())
    assert errors["salt_and_pepper"] < 0.5 * before
    assert errors["salt_and_pepper"] < errors["none"]


def test_the_variational_cost_is_the_bound_of_the_vae():
    plan, x = variational_plan(), rows().inputs
    cost, losses = plan.cost(rows())
    mean, log_variance = plan.vae.posterior(x)
    torch.testing.assert_close(losses["kl_divergence"], kl_divergence(mean, log_variance).sum(1))
    assert float(cost) == pytest.approx(float(losses["loss"].mean()))


def test_beta_rises_over_the_warm_up_and_weighs_the_kl_divergence():
    plan = variational_plan(beta=4.0, beta_warmup_epochs=8)
    values = []
    for epoch in (1, 4, 8, 20):
        plan.on_epoch_start(epoch)
        values.append(plan.beta_now)
    assert values == [0.5, 2, 4, 4]
    state = plan.rngs["noise"].get_state()
    cost, losses = plan.cost(rows())
    plan.rngs["noise"].set_state(state)
    plan.beta_now = 1.0
    plain, _ = plan.cost(rows())
    assert float(cost - plain) == pytest.approx(3 * float(losses["kl_divergence"].mean()), rel=1e-4)


def test_free_bits_keep_the_kl_divergence_of_a_latent_that_would_collapse():
    found = {}
    for free in (0.0, 0.5):
        plan = variational_plan(beta=20.0, free_bits=free)
        train(plan, 60)
        found[free] = plan.validation_step(rows())["kl_divergence"].mean()
    assert found[0.0] < 0.2
    assert found[0.5] > 1.0


def test_more_importance_samples_give_a_higher_bound():
    found = []
    for samples in (1, 5, 50):
        plan = variational_plan(importance_samples=samples)
        found.append(
            float(torch.stack([plan.validation_step(rows())["loss"].mean() for _ in range(20)]).mean())
        )
    assert found[0] > found[1] > found[2]


@pytest.mark.parametrize(
    "make",
    [
        lambda: reconstruction_plan([Contraction(0.1)], "masking", 0.3, seeded(8)),
        lambda: variational_plan(),
        lambda: variational_plan(importance_samples=3),
    ],
)
def test_training_resumes_exactly_from_a_state(make):
    whole = make()
    train(whole, 2)
    state = whole.state_dict()
    expected = train(whole, 3).history
    other = make()
    train(other, 1)
    other.load_state_dict(state)
    assert [{k: v for k, v in epoch.items() if k != "seconds"} for epoch in train(other, 3).history] == [
        {k: v for k, v in epoch.items() if k != "seconds"} for epoch in expected
    ]
    for name, value in whole.state_dict().items():
        assert torch.equal(other.state_dict()[name], value), name


def test_bfloat16_learns_as_float32_does():
    losses = {}
    for precision in ("float32", "bfloat16"):
        plan = reconstruction_plan([Contraction(0.01)])
        plan.settings = plan.settings.model_copy(update={"precision": precision})
        losses[precision] = train(plan, 20).history[-1]["train/loss"]
    assert losses["bfloat16"] == pytest.approx(losses["float32"], rel=0.05)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"variant": "sparse", "sparsity": "none"}, "without sparsity is none"),
        ({"variant": "sparse", "latent_activation": "relu"}, "only sigmoid activations are probabilities"),
        (
            {"variant": "sparse", "sparsity": "l1", "sparsity_target": 0.1},
            "l1 has no use for sparsity_target",
        ),
        ({"variant": "sparse", "sparsity": "top_k", "contraction": 0.1}, "jumps where units change places"),
        ({"variant": "denoising", "corruption": "none"}, "without corruption is none"),
        ({"variant": "denoising", "corruption": "masking", "corruption_level": 1.5}, "fraction, at most 1"),
        ({"variant": "contractive", "contraction": 0}, "with contraction 0 is none"),
        ({"variant": "denoising", "corruption_level": 0.0}, "with corruption_level 0 is none"),
        ({"variant": "compression", "jacobian": "estimated"}, "how contraction is computed"),
        ({"variant": "variational", "initializer_gain": 2.0}, "no use for initializer_gain"),
        ({"variant": "convolutional", "initializer_gain": 2.0}, "no use for initializer_gain"),
        ({"variant": "variational", "decoder_activation": "relu"}, "no use for decoder_activation"),
        ({"variant": "denoising", "decoder_activation": "relu"}, "hidden layers, and there are none"),
        ({"variant": "compression", "corruption_level": 0.2}, "none has no use for corruption_level"),
        ({"variant": "compression", "beta": 2}, "no use for beta: it belongs to variational"),
        ({"variant": "variational", "sparsity": "l1"}, "the bound bounds nothing"),
        ({"variant": "variational", "corruption": "masking"}, "bounds another likelihood"),
        ({"variant": "variational", "beta": 2, "importance_samples": 5}, "does not have"),
        ({"variant": "variational", "tied": True}, "share no weights"),
        ({"variant": "variational", "loss": "squared"}, "is no likelihood"),
        ({"variant": "convolutional", "hidden_sizes": [10]}, "channels shape it"),
        ({"variant": "convolutional", "contraction": 0.1}, "set jacobian: estimated"),
        ({"variant": "deep", "loss": "gaussian"}, "only a likelihood needs"),
        ({"variant": "deep", "activation": ["relu"]}, r"1 value\(s\) for 3 hidden layer"),
        ({"variant": "deep", "loss": "binary_cross_entropy", "output": "linear"}, "needs probabilities"),
        ({"weight_decay": 0.1}, "optimizer adam has no use for weight_decay"),
        ({"latent_sice": 3}, "did you mean 'latent_size'"),
    ],
)
def test_what_makes_no_sense_together_is_refused_with_a_reason(settings, message):
    with pytest.raises(ValueError, match=message):
        AutoencoderSettings(**settings)


@pytest.mark.parametrize(
    ("settings", "penalties", "noise"),
    [
        (
            {"variant": "denoising", "sparsity": "kl", "contraction": 0.1},
            ["sparsity", "contraction"],
            "masking",
        ),
        ({"variant": "overcomplete", "sparsity": "l1", "corruption": "masking"}, ["sparsity"], "masking"),
        (
            {"variant": "contractive", "corruption": "gaussian", "hidden_sizes": [50]},
            ["contraction"],
            "gaussian",
        ),
        ({"variant": "deep", "hidden_sizes": [9]}, [], "none"),
    ],
)
def test_penalties_combine_where_the_theory_allows_it(settings, penalties, noise):
    chosen = AutoencoderSettings(latent_size=25 if settings["variant"] == "overcomplete" else 10, **settings)
    columns = DataSpec(
        task="multiclass",
        n_inputs=20,
        n_outputs=2,
        feature_names=tuple(map(str, range(20))),
        target_names=("class",),
        class_names=("0", "1"),
        blocks=(ColumnBlock(name="bits", kind="binary", start=0, stop=20),),
    )
    network = build_autoencoder(chosen, columns, seeded())
    plan = find_variant(chosen.variant).make_plan(network, chosen, columns, 0, "test", torch.device("cpu"))
    cost, losses = plan.cost(rows())
    assert list(losses) == ["loss", *penalties]
    assert plan.corruption.kind == noise
    # Each term is in the cost once, and none of them is 0.
    assert float(cost.detach()) == pytest.approx(sum(float(each.detach().mean()) for each in losses.values()))
    assert all(float(each.detach().mean()) > 0 for each in losses.values())


def test_each_layer_of_a_stack_may_have_its_own_corruption():
    settings = SAESettings(corruption_levels=(0.1, 0.2, 0.3), hidden_sizes=(8, 6, 4))
    assert settings.corruption_levels == (0.1, 0.2, 0.3)
    with pytest.raises(ValueError, match=r"corruption_levels has 3 value\(s\) for 2 layers"):
        SAESettings(corruption_levels=(0.1, 0.2, 0.3), hidden_sizes=(8, 6))


def test_a_stack_of_autoencoders_has_no_hidden_decoder_layers():
    with pytest.raises(ValueError, match="leave decoder_activation alone"):
        SAESettings(decoder_activation="relu")


@pytest.mark.parametrize("samples", [1, 3])
def test_every_epoch_is_validated_with_the_same_noise(samples):
    plan = variational_plan(importance_samples=samples)
    found = []
    for epoch in (1, 2, 3):
        plan.on_epoch_start(epoch)
        found.append(plan.validation_step(rows())["loss"])
    assert torch.equal(found[0], found[1])
    assert torch.equal(found[0], found[2])


def test_the_best_epoch_of_a_weighted_bound_is_that_of_its_objective():
    assert variational_plan().monitor == "validation/loss"
    assert variational_plan(importance_samples=3).monitor == "validation/loss"
    plan = variational_plan(beta=4.0, beta_warmup_epochs=8, free_bits=0.1)
    assert plan.monitor == "validation/objective"
    plan.on_epoch_start(1)
    found = plan.validation_step(rows())
    mean, log_variance = plan.vae.posterior(rows().inputs)
    unit_kl = kl_divergence(mean, log_variance)
    expected = (found["loss"] - unit_kl.sum(1)).mean() + 4 * unit_kl.mean(0).clamp_min(0.1).sum()
    # Beta is the one after the warm-up, or the first epochs would be the best ones.
    assert float(found["objective"].mean()) == pytest.approx(float(expected.detach()), rel=1e-5)
