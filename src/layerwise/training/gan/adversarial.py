"""Two networks against each other, as one trainee of the loop."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

import torch
from torch import Tensor, nn

from layerwise.data.tensors import TensorData
from layerwise.models.gan.discriminator import Discriminator
from layerwise.models.gan.generator import Generator
from layerwise.training.gan.adversarial_settings import AdversarialSettings
from layerwise.training.gan.gradient_penalties import r1_penalty, unit_norm_penalty
from layerwise.training.gan.objectives import get_objective
from layerwise.training.optim.optimizer_state import load_moment_tensors, moments_to_tensors
from layerwise.training.optim.schedules import learning_rate_factor
from layerwise.training.plan import Losses
from layerwise.utils.devices import matmul_autocast
from layerwise.utils.random_streams import torch_rng

# A running average forgets its first values faster: its decay at update t is at most (1 + t) / (10 + t).
EMA_WARM_UP = 10.0


class Conditioning(Protocol):
    """Says which real rows a batch brings into the game, and under which condition."""

    def __call__(self, batch: TensorData, rng: torch.Generator) -> tuple[Tensor, Tensor | None]:
        """Return rows (n, d) and their conditions (n, c), or None without conditions."""


# What the generator's loss has besides the game: of its raw outputs, its rows, real rows and conditions; (n,).
AuxiliaryLoss = Callable[[Tensor, Tensor, Tensor, Tensor | None], Tensor]


def unconditional(batch: TensorData, rng: torch.Generator) -> tuple[Tensor, Tensor | None]:
    """Play for all rows alike."""
    return batch.inputs, None


@contextmanager
def without_gradients_of(network: nn.Module) -> Iterator[None]:
    """Let gradients pass a network and leave nothing in it: no gradient, no running statistics."""
    kept = {name: value.clone() for name, value in network.named_buffers()}
    learning = [p for p in network.parameters() if p.requires_grad]
    for parameter in learning:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        with torch.no_grad():
            for name, value in network.named_buffers():
                value.copy_(kept[name])
        for parameter in learning:
            parameter.requires_grad_(True)


class AdversarialPlan:
    """Play a step of the discriminator on every batch, and one of the generator on every n-th.

    Args:
        generator: maps noise, and a condition, to rows.
        discriminator: scores rows, beside their condition.
        settings: the game.
        rng: noise, masks, instance noise and the places of penalties come from here; on the players' device.
        conditioning: which real rows and conditions a batch stands for.
        auxiliary_loss: a further loss of the generator.
        validation_conditioning: the same as `conditioning` for rows that are measured; by default that one.
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
    ) -> None:
        self.generator, self.discriminator = generator, discriminator
        self.settings, self.rng, self.conditioning, self.auxiliary_loss = (
            settings,
            rng,
            conditioning,
            auxiliary_loss,
        )
        self.validation_conditioning = validation_conditioning or conditioning
        self.objective = get_objective(settings.objective)
        self.generator_optimiser = self._optimiser(generator, settings.generator_learning_rate)
        self.discriminator_optimiser = self._optimiser(discriminator, settings.discriminator_learning_rate)
        self.ema_generator = copy.deepcopy(generator).requires_grad_(False) if settings.ema_decay else None
        self.instance_noise_std = settings.instance_noise
        self.batches_seen = self.generator_steps = 0
        for network in (generator, discriminator):
            network.use_rng(rng)

    def _optimiser(self, network: nn.Module, rate: float) -> torch.optim.Optimizer:
        s, parameters = self.settings, list(network.parameters())
        if s.optimizer == "adam":
            return torch.optim.Adam(parameters, rate, betas=(s.beta_1, s.beta_2), fused=True)
        return {"rmsprop": torch.optim.RMSprop, "sgd": torch.optim.SGD}[s.optimizer](parameters, rate)

    @property
    def sampler(self) -> Generator:
        """The generator to sample from: the running average of its weights if there is one."""
        return self.generator if self.ema_generator is None else self.ema_generator

    def on_epoch_start(self, epoch: int, epochs: int) -> None:
        """Set the rates and the instance noise of the epoch."""
        s, done = self.settings, (epoch - 1) / epochs
        factor = learning_rate_factor(s.schedule, done)
        for optimizer, rate in (
            (self.generator_optimiser, s.generator_learning_rate),
            (self.discriminator_optimiser, s.discriminator_learning_rate),
        ):
            for group in optimizer.param_groups:
                group["lr"] = rate * factor
        self.instance_noise_std = s.instance_noise * (1 - (epoch - 1) / max(1, epochs - 1))
        self.generator.train()
        self.discriminator.train()

    def training_step(self, batch: TensorData) -> Losses:
        """Play on a batch; every loss is of a row, or of a pack of rows."""
        losses = self.discriminator_step(batch)
        self.batches_seen += 1
        if self.batches_seen % self.settings.discriminator_steps == 0:
            losses |= self.generator_step(batch)
        return losses

    def _real_rows(self, batch: TensorData) -> tuple[Tensor, Tensor | None]:
        rows, condition = self.conditioning(batch, self.rng)
        whole = len(rows) - len(rows) % self.discriminator.config.pac
        return rows[:whole], None if condition is None else condition[:whole]

    def _discriminate(self, rows: Tensor, condition: Tensor | None) -> Tensor:
        with matmul_autocast(self.settings.precision, rows.device):
            return self.discriminator(rows, condition).to(rows.dtype)

    def _generate(self, n: int, condition: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return raw outputs and rows."""
        z = self.generator.noise(n, self.rng)
        with matmul_autocast(self.settings.precision, z.device):
            raw = self.generator.pre_activation(z, condition).to(z.dtype)
        return raw, self.generator.output_activation(raw)

    def _with_instance_noise(self, rows: Tensor) -> Tensor:
        if not self.instance_noise_std:
            return rows
        noise = torch.randn(rows.shape, generator=self.rng, device=rows.device, dtype=rows.dtype)
        return rows + self.instance_noise_std * noise

    def discriminator_step(self, batch: TensorData) -> Losses:
        """Improve the discriminator while the generator stands still."""
        s, objective = self.settings, self.objective
        real, condition = self._real_rows(batch)
        with without_gradients_of(self.generator), torch.no_grad():
            fake = self._generate(len(real), condition)[1]
        real, fake = self._with_instance_noise(real), self._with_instance_noise(fake)
        if (
            self.discriminator.config.normalization == "batch"
        ):  # statistics of real and of generated rows apart
            real_scores, fake_scores = (
                self._discriminate(real, condition),
                self._discriminate(fake, condition),
            )
        else:
            twice = None if condition is None else torch.cat([condition, condition])
            real_scores, fake_scores = self._discriminate(torch.cat([real, fake]), twice).chunk(2)
        losses = objective.real_loss(real_scores, s.label_smoothing) + objective.fake_loss(fake_scores)
        cost, extra = losses.mean(), self._penalty(real, fake, condition)
        if extra is not None:
            cost = cost + extra.mean()
        self.discriminator_optimiser.zero_grad()
        cost.backward()
        norm = _gradient_norm(self.discriminator)
        self.discriminator_optimiser.step()
        if s.objective == "wasserstein":
            with torch.no_grad():
                for parameter in self.discriminator.parameters():
                    parameter.clamp_(-s.weight_clip, s.weight_clip)
        with torch.no_grad():
            found = self._value_metrics(real_scores, fake_scores)
            found |= {"discriminator_loss": losses, "discriminator_gradient": norm.expand(len(losses))}
        if extra is not None:
            found["penalty"] = extra
        return {name: value.detach() for name, value in found.items()}

    def _penalty(self, real: Tensor, fake: Tensor, condition: Tensor | None) -> Tensor | None:
        s, pac = self.settings, self.discriminator.config.pac
        if s.objective == "wasserstein_penalty":
            interpolation_weights = torch.rand(len(real) // pac, 1, generator=self.rng, device=real.device)
            found = unit_norm_penalty(
                lambda x: self.discriminator(x, condition), real, fake, interpolation_weights, pac
            )
            return s.gradient_penalty * found
        if s.r1:
            return s.r1 / 2 * r1_penalty(lambda x: self.discriminator(x, condition), real, pac)
        return None

    def _value_metrics(self, real: Tensor, fake: Tensor) -> Losses:
        objective = self.objective
        found = {
            "value": objective.real_value(real) + objective.fake_value(fake),
            "d_of_x": objective.reported_score(real),
            "d_of_g": objective.reported_score(fake),
        }
        accuracy = objective.accuracy(real, fake)
        return found if accuracy is None else found | {"discriminator_accuracy": accuracy}

    def generator_step(self, batch: TensorData) -> Losses:
        """Improve the generator while the discriminator stands still; `score_gradient` is |d loss / d score|."""
        s = self.settings
        real, condition = self._real_rows(batch)
        with without_gradients_of(self.discriminator):
            raw, fake = self._generate(len(real), condition)
            scores = self._discriminate(self._with_instance_noise(fake), condition)
            scores.retain_grad()
            losses = self.objective.generator_loss(scores)
            cost, found = losses.mean(), {"generator_loss": losses}
            if s.reconstruction_weight:
                found["reconstruction"] = (real - fake).abs().mean(1)
                cost = cost + s.reconstruction_weight * found["reconstruction"].mean()
            if self.auxiliary_loss is not None:
                found["auxiliary_loss"] = self.auxiliary_loss(raw, fake, real, condition)
                cost = cost + found["auxiliary_loss"].mean()
            self.generator_optimiser.zero_grad()
            cost.backward()
            assert scores.grad is not None
            found["score_gradient"] = scores.grad.abs() * len(scores)
        found["generator_gradient"] = _gradient_norm(self.generator).expand(len(scores))
        self.generator_optimiser.step()
        self.generator_steps += 1
        self._update_ema()
        return {name: value.detach() for name, value in found.items()}

    def _update_ema(self) -> None:
        """Move the running average towards the generator, its running statistics too."""
        if self.ema_generator is None:
            return
        decay = min(
            self.settings.ema_decay, (1 + self.generator_steps) / (EMA_WARM_UP + self.generator_steps)
        )
        pairs = zip(
            self.ema_generator.state_dict().values(), self.generator.state_dict().values(), strict=True
        )
        with torch.no_grad():
            for mean, now in pairs:
                if mean.is_floating_point():
                    mean.lerp_(now, 1 - decay)
                else:
                    mean.copy_(now)

    def validation_step(self, batch: TensorData) -> Losses:
        """Return the value and the scores of held-out rows against samples; nothing changes, no draw either."""
        rng = torch_rng(self.rng.initial_seed(), "measure", device=batch.inputs.device)
        real, condition = self.validation_conditioning(batch, rng)
        whole = len(real) - len(real) % self.discriminator.config.pac
        real, condition = real[:whole], None if condition is None else condition[:whole]
        fake = self.sampler.sample(whole, rng, condition)
        self.sampler.use_rng(self.rng)
        learning = self.discriminator.training
        self.discriminator.eval()
        found = self._value_metrics(self.discriminator(real, condition), self.discriminator(fake, condition))
        self.discriminator.train(learning)
        return found

    def state_dict(self) -> dict[str, Tensor]:
        """Return copies of both players, the average, both optimisers' moments, the draws and the counts."""
        state: dict[str, Tensor] = {}
        for name, network in self._networks().items():
            state |= {f"{name}.{key}": value.clone() for key, value in network.state_dict().items()}
        state |= moments_to_tensors(self.generator_optimiser, "generator_optimiser")
        state |= moments_to_tensors(self.discriminator_optimiser, "discriminator_optimiser")
        state["rng"] = self.rng.get_state()
        state["counts"] = torch.tensor([self.batches_seen, self.generator_steps])
        return state

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go back to a state that `state_dict()` returned."""
        for name, network in self._networks().items():
            own = {k.removeprefix(f"{name}."): v for k, v in state.items() if k.startswith(f"{name}.")}
            network.load_state_dict(own)
        load_moment_tensors(self.generator_optimiser, "generator_optimiser", state)
        load_moment_tensors(self.discriminator_optimiser, "discriminator_optimiser", state)
        self.rng.set_state(state["rng"])
        self.batches_seen, self.generator_steps = (int(count) for count in state["counts"])

    def _networks(self) -> dict[str, nn.Module]:
        networks: dict[str, nn.Module] = {"generator": self.generator, "discriminator": self.discriminator}
        return networks if self.ema_generator is None else networks | {"ema_generator": self.ema_generator}


def _gradient_norm(network: nn.Module) -> Tensor:
    """Return the Euclidean norm of all gradients together."""
    gradients = [p.grad for p in network.parameters() if p.grad is not None]
    return torch.nn.utils.get_total_norm(gradients)
