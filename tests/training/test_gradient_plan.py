"""The one gradient plan: every optimiser setting reaches the steps of whatever follows a gradient."""

import math

import pytest
import torch
from torch import nn

from layerwise.data import TensorData
from layerwise.training import fit
from layerwise.training.autoencoder import AutoencoderSettings
from layerwise.training.gradient_plan import GradientPlan
from layerwise.training.optim import OptimizerSettings


class Slope(GradientPlan):
    """The cost is the weight times the input, so that the gradient is the mean input."""

    def cost(self, batch):
        losses = self.network(batch.inputs)[:, 0]
        self.rates.append(self.optimizer.param_groups[0]["lr"])
        return losses.mean(), {"loss": losses}

    def validation_losses(self, batch):
        return {"loss": self.network(batch.inputs)[:, 0]}


def slope(**settings):
    network = nn.Linear(1, 1, bias=False).double()
    nn.init.zeros_(network.weight)
    plan = Slope(network, OptimizerSettings(**{"optimizer": "sgd", "learning_rate": 0.1} | settings), {})
    plan.rates = []
    return plan


def train(plan, epochs=4, value=3.0):
    rows = TensorData(torch.full((10, 1), value, dtype=torch.float64))
    fit(plan, rows, epochs=epochs, batch_size=4, rng=torch.Generator())  # 3 batches an epoch
    return plan.network.weight.item()


def test_the_rate_warms_up_and_follows_the_schedule_over_all_batches():
    plan = slope(warmup_epochs=1)
    train(plan)
    rising = [0.1 * k / 3 for k in (1, 2, 3)]
    falling = [0.05 * (1 + math.cos(math.pi * k / 9)) for k in range(9)]
    assert plan.rates == pytest.approx([*rising, *falling])


def test_warm_up_goes_before_a_constant_rate_too():
    plan = slope(warmup_epochs=1, schedule="constant")
    train(plan, epochs=2)
    assert plan.rates == pytest.approx([0.1 / 3, 0.2 / 3, 0.1, 0.1, 0.1, 0.1])


@pytest.mark.parametrize("clip", ["clip_norm", "clip_value"])
def test_gradients_are_clipped(clip):
    assert train(slope(schedule="constant", **{clip: 0.5}), epochs=1) == pytest.approx(-3 * 0.1 * 0.5)
    assert train(slope(schedule="constant"), epochs=1) == pytest.approx(-3 * 0.1 * 3)


def test_a_callback_can_scale_the_rate_and_the_state_keeps_it():
    plan = slope(schedule="step")
    plan.learning_rate_scale = 0.25
    train(plan, epochs=1)
    assert plan.rates[0] == pytest.approx(0.025)
    again = slope(schedule="step")
    again.load_state_dict(plan.state_dict())
    assert (again.learning_rate_scale, again.steps_done) == (0.25, 3)


def test_an_autoencoder_takes_every_optimizer_setting_and_keeps_its_defaults():
    defaults = AutoencoderSettings()
    chosen = AutoencoderSettings(
        optimizer="rmsprop", rho=0.9, schedule="step", step_factor=0.5, clip_value=1.0
    )
    assert (chosen.rho, chosen.step_factor, chosen.clip_value) == (0.9, 0.5, 1.0)
    values = (
        defaults.optimizer,
        defaults.learning_rate,
        defaults.schedule,
        defaults.clip_norm,
        defaults.precision,
    )
    assert values == ("adam", 0.001, "cosine", None, "float32")
