"""The training plan of a GAN: discriminator and generator steps (Goodfellow et al. 2014, algorithm 1)."""

from __future__ import annotations

import copy
from collections.abc import Callable, Hashable, Mapping, Sequence

import torch
from torch import Tensor, nn

from layerwise.checkpointing import Progress
from layerwise.data import TensorData
from layerwise.models.gan import Discriminator, Generator
from layerwise.training.gan.augmentation import RowAugmentation
from layerwise.training.gan.conditioning import Conditioning, unconditional
from layerwise.training.gan.gradient_penalties import backward, r1_penalty, without_gradients_of
from layerwise.training.gan.objectives.base import OBJECTIVES
from layerwise.training.gan.settings import AdversarialSettings
from layerwise.training.optim import (
    OptimizerSettings,
    learning_rate_factor,
    load_moment_tensors,
    make_optimizer,
    moments_to_tensors,
    python_rates,
    set_learning_rate,
)
from layerwise.training.plan import CapturablePlan, Losses
from layerwise.utils import matmul_autocast, ranks, torch_rng

# The first weights are forgotten faster: the decay at update t is at most (1 + t) / (10 + t).
EMA_WARM_UP = 10.0

# Real rows (n, d), their conditions, and as many generated ones: pre-activations and rows.
Drawn = tuple[Tensor, Tensor | None, Tensor, Tensor]
# A further loss of the generator, (n,): of its pre-activations, its rows, real rows and conditions.
AuxiliaryLoss = Callable[[Tensor, Tensor, Tensor, Tensor | None], Tensor]


class AdversarialPlan(CapturablePlan):
    """A discriminator step on every batch, and a generator step on every `discriminator_steps`-th.

    With `shares_samples` both learn from the same generated rows; the paper's algorithm draws others for the generator.

    Args:
        generator: maps noise, and a condition, to rows.
        discriminator: scores rows, given their condition.
        settings: the objective and the optimizers.
        rng: of noise, dropout masks, instance noise and the penalties' points; on the networks' device.
        conditioning: returns the real rows and the conditions of a batch.
        auxiliary_loss: a further loss of the generator.
        validation_conditioning: the same of validation batches; `conditioning` by default.
        augmentation: of real and generated rows, through which the generator learns.
    """

    def __init__(
        self,
        generator: Generator,
        discriminator: Discriminator,
        settings: AdversarialSettings,
        rng: torch.Generator,
        conditioning: Conditioning = unconditional,
        auxiliary_loss: AuxiliaryLoss | None = None,
        validation_conditioning: Conditioning | None = None,
        augmentation: RowAugmentation | None = None,
    ) -> None:
        self.generator, self.discriminator, self.settings, self.rng = generator, discriminator, settings, rng
        self.conditioning, self.auxiliary_loss, self.augmentation = conditioning, auxiliary_loss, augmentation
        self.validation_conditioning = validation_conditioning or conditioning
        self.objective = OBJECTIVES.find(settings.objective)
        self.generator_optimizer = self._build_optimizer(generator, settings.generator_learning_rate)
        self.discriminator_optimizer = self._build_optimizer(
            discriminator, settings.discriminator_learning_rate
        )
        self.ema_generator = copy.deepcopy(generator).requires_grad_(False) if settings.ema_decay else None
        self.instance_noise_std = settings.instance_noise
        self.epochs, self.batches_seen, self.generator_steps = 1, 0, 0
        self.generator_is_due, self.r1_is_due, self.shares_samples = True, settings.r1 > 0, False
        rate = self.generator_optimizer.param_groups[0]["lr"]
        self.ema_weight: Tensor | float = rate.new_zeros(()) if isinstance(rate, Tensor) else 0.0
        for network in (generator, discriminator):
            network.use_rng(rng)

    def _build_optimizer(self, network: nn.Module, rate: float) -> torch.optim.Optimizer:
        s = self.settings
        beta_1, beta_2 = (s.beta_1, s.beta_2) if s.optimizer == "adam" else (None, None)
        chosen = OptimizerSettings(optimizer=s.optimizer, learning_rate=rate, beta_1=beta_1, beta_2=beta_2)
        return make_optimizer(chosen, network.parameters())

    @property
    def sampler(self) -> Generator:
        """The generator to sample from: that of the exponential moving average if there is one."""
        return self.generator if self.ema_generator is None else self.ema_generator

    def on_train_start(self, progress: Progress) -> None:
        """Stretch the schedule and the instance noise over the epochs."""
        self.epochs = progress.epochs

    def on_epoch_start(self, epoch: int) -> None:
        """Set the epoch's learning rates and standard deviation of the instance noise."""
        s = self.settings
        factor = learning_rate_factor(s.schedule, (epoch - 1) / self.epochs)
        for optimizer, learning_rate in (
            (self.generator_optimizer, s.generator_learning_rate),
            (self.discriminator_optimizer, s.discriminator_learning_rate),
        ):
            set_learning_rate(optimizer, learning_rate * factor)
        self.instance_noise_std = s.instance_noise * (1 - (epoch - 1) / max(1, self.epochs - 1))
        self.generator.train()
        self.discriminator.train()

    def prepare_step(self) -> Hashable:
        """Count the batch, which says whether the generator learns from it, and set the weight of its average."""
        self.batches_seen += 1
        self.generator_is_due = self.batches_seen % self.settings.discriminator_steps == 0
        self.r1_is_due = self.settings.r1 > 0 and self.batches_seen % self.settings.r1_every == 0
        if self.generator_is_due:
            self.generator_steps += 1
            self._set_ema_weight()
        weight = None if isinstance(self.ema_weight, Tensor) else self.ema_weight
        rates = python_rates(self.generator_optimizer, self.discriminator_optimizer)
        return self.generator_is_due, self.r1_is_due, self.instance_noise_std, weight, rates

    def update(self, batch: TensorData) -> Losses:
        """Update the networks on a batch; return losses and scores, one a row or a pack of rows."""
        drawn = self._draw(batch) if self.shares_samples and self.generator_is_due else None
        losses = self.discriminator_step(batch, drawn)
        if self.generator_is_due:
            losses |= self.generator_step(batch, drawn)
        return losses

    def generators(self) -> Sequence[torch.Generator]:
        """Return the random generator that steps draw from."""
        return [self.rng]

    def reason_against_capture(self) -> str:
        """Return why the conditions of a step can't be captured; empty when they can."""
        return getattr(self.conditioning, "reason_against_capture", "")

    def reason_against_ranks(self) -> str:
        """Return why the rows of a batch can't be spread; empty when they can."""
        if self.discriminator.config.pac > 1:
            return "rows that are scored in packs (gan.pac) stay together"
        return getattr(self.conditioning, "reason_against_ranks", "")

    def _draw(self, batch: TensorData) -> Drawn:
        real, condition = self._whole_packs(*self.conditioning(batch, self.rng))
        z = self.generator.noise(len(real), self.rng)
        with matmul_autocast(self.settings.precision, z.device):
            pre_activation = self.generator.pre_activation(z, condition).to(z.dtype)
        return real, condition, pre_activation, self.generator.output_activation(pre_activation)

    def _whole_packs(self, rows: Tensor, condition: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Leave out the last rows, which do not fill a pack."""
        n = len(rows) - len(rows) % self.discriminator.config.pac
        return rows[:n], None if condition is None else condition[:n]

    def _discriminate(self, rows: Tensor, condition: Tensor | None) -> Tensor:
        with matmul_autocast(self.settings.precision, rows.device):
            return self.discriminator(rows, condition).to(rows.dtype)

    def _as_seen(self, rows: Tensor) -> Tensor:
        """Return rows as the discriminator sees them in training: augmented, with instance noise."""
        if self.augmentation is not None:
            rows = self.augmentation(rows, self.rng)
        std = self.instance_noise_std
        return rows + std * ranks.normal_(rows.new_empty(rows.shape), self.rng) if std else rows

    def discriminator_step(self, batch: TensorData, drawn: Drawn | None = None) -> Losses:
        """Update the discriminator; the generator stays as it is."""
        s, objective = self.settings, self.objective
        if drawn is None:
            with without_gradients_of(self.generator), torch.no_grad():
                drawn = self._draw(batch)
        real, condition, _, fake = drawn
        real, fake = self._as_seen(real), self._as_seen(fake.detach())
        if self.discriminator.config.normalization == "batch":  # real and generated rows: own statistics
            real_scores = self._discriminate(real, condition)
            fake_scores = self._discriminate(fake, condition)
        else:
            twice = None if condition is None else torch.cat([condition, condition])
            real_scores, fake_scores = self._discriminate(torch.cat([real, fake]), twice).chunk(2)
        losses = objective.real_loss(real_scores, s.label_smoothing) + objective.fake_loss(fake_scores)
        loss, penalty = losses.mean(), self._gradient_penalty(real, fake, condition)
        if penalty is not None:
            loss = loss + penalty.mean()
        self.discriminator_optimizer.zero_grad()
        norm = backward(loss, self.discriminator)
        self.discriminator_optimizer.step()
        objective.after_discriminator_step(self.discriminator, s)
        with torch.no_grad():
            found = self._value_metrics(real_scores, fake_scores)
            found |= {"discriminator_loss": losses, "discriminator_gradient": norm.expand(len(losses))}
        if penalty is not None:
            found["penalty"] = penalty
        return {name: value.detach() for name, value in found.items()}

    def _gradient_penalty(self, real: Tensor, fake: Tensor, condition: Tensor | None) -> Tensor | None:
        s, pac = self.settings, self.discriminator.config.pac

        def score(rows: Tensor) -> Tensor:
            return self.discriminator(rows, condition)

        penalty = self.objective.penalty(score, real, fake, s, pac, self.rng)
        if not self.r1_is_due:
            return penalty
        r1 = s.r1 * s.r1_every / 2 * r1_penalty(score, real, pac)
        return r1 if penalty is None else penalty + r1

    def _value_metrics(self, real: Tensor, fake: Tensor) -> Losses:
        objective = self.objective
        found = {
            "value": objective.real_value(real) + objective.fake_value(fake),
            "d_of_x": objective.reported_score(real),
            "d_of_g": objective.reported_score(fake),
        }
        accuracy = objective.accuracy(real, fake)
        return found if accuracy is None else found | {"discriminator_accuracy": accuracy}

    def generator_step(self, batch: TensorData, drawn: Drawn | None = None) -> Losses:
        """Update the generator; the discriminator stays. `score_gradient` is |d loss / d score|."""
        s = self.settings
        with without_gradients_of(self.discriminator):
            real, condition, pre_activation, fake = drawn or self._draw(batch)
            scores = self._discriminate(self._as_seen(fake), condition)
            scores.retain_grad()
            losses = self.objective.generator_loss(scores)
            loss, found = losses.mean(), {"generator_loss": losses}
            if s.reconstruction_weight:
                found["reconstruction"] = (real - fake).abs().mean(1)
                loss = loss + s.reconstruction_weight * found["reconstruction"].mean()
            if self.auxiliary_loss is not None:
                found["auxiliary_loss"] = self.auxiliary_loss(pre_activation, fake, real, condition)
                loss = loss + found["auxiliary_loss"].mean()
            self.generator_optimizer.zero_grad()
            norm = backward(loss, self.generator)
            assert scores.grad is not None
            found["score_gradient"] = scores.grad.abs() * len(scores)
        found["generator_gradient"] = norm.expand(len(scores))
        self.generator_optimizer.step()
        self._update_ema()
        return {name: value.detach() for name, value in found.items()}

    def _set_ema_weight(self) -> None:
        """Set the weight of the newest generator in the average: a number, or a tensor that captured steps read."""
        t = self.generator_steps
        weight = 1 - min(self.settings.ema_decay, (1 + t) / (EMA_WARM_UP + t))
        if isinstance(self.ema_weight, Tensor):
            self.ema_weight.fill_(weight)
        else:
            self.ema_weight = weight

    def _update_ema(self) -> None:
        """Update the exponential moving average of the weights and of the running statistics."""
        if self.ema_generator is None:
            return
        means, values = self.ema_generator.state_dict().values(), self.generator.state_dict().values()
        with torch.no_grad():
            for mean, value in zip(means, values, strict=True):
                if mean.is_floating_point():
                    mean.lerp_(value, self.ema_weight)
                else:
                    mean.copy_(value)

    def validation_step(self, batch: TensorData) -> Losses:
        """Return the value and the scores of validation rows against samples; no state changes."""
        rng = torch_rng(self.rng.initial_seed(), "measure", device=batch.inputs.device)
        real, condition = self._whole_packs(*self.validation_conditioning(batch, rng))
        fake = self.sampler.sample(len(real), rng, condition)
        was_training = self.discriminator.training
        self.discriminator.eval()
        found = self._value_metrics(self.discriminator(real, condition), self.discriminator(fake, condition))
        self.discriminator.train(was_training)
        return found

    def state_dict(self) -> dict[str, Tensor]:
        """Return copies of the networks, the optimizers' moments, the random state and the counts."""
        state: dict[str, Tensor] = {}
        for name, network in self._networks().items():
            state |= {f"{name}.{key}": value.clone() for key, value in network.state_dict().items()}
        state |= moments_to_tensors(self.generator_optimizer, "generator_optimizer")
        state |= moments_to_tensors(self.discriminator_optimizer, "discriminator_optimizer")
        counts = torch.tensor([self.batches_seen, self.generator_steps])
        return state | {"rng": self.rng.get_state(), "counts": counts}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Restore a state that `state_dict()` returned."""
        for name, network in self._networks().items():
            own = {k.removeprefix(f"{name}."): v for k, v in state.items() if k.startswith(f"{name}.")}
            network.load_state_dict(own)
        load_moment_tensors(self.generator_optimizer, "generator_optimizer", state)
        load_moment_tensors(self.discriminator_optimizer, "discriminator_optimizer", state)
        self.rng.set_state(state["rng"])
        self.batches_seen, self.generator_steps = (int(count) for count in state["counts"])

    def _networks(self) -> dict[str, nn.Module]:
        networks: dict[str, nn.Module] = {"generator": self.generator, "discriminator": self.discriminator}
        return networks if self.ema_generator is None else networks | {"ema_generator": self.ema_generator}
