"""Two networks against each other, as one trainee of the loop."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

import torch
from torch import Tensor, nn

from layerwise.data.tensors import Rows
from layerwise.models.gan.discriminator import Discriminator
from layerwise.models.gan.generator import Generator
from layerwise.training.gan.adversarial_settings import GameSettings
from layerwise.training.gan.gradient_penalties import r1_penalty, unit_norm_penalty
from layerwise.training.gan.objectives import objective_of
from layerwise.training.optim.optimizer_state import flat_moments, load_moments
from layerwise.training.optim.schedules import rate_factor
from layerwise.training.plan import Losses
from layerwise.utils.devices import products_in
from layerwise.utils.random_streams import generator_for

# A running average forgets its first values faster: its decay at update t is at most (1 + t) / (10 + t).
WARM_UP = 10.0


class Pairing(Protocol):
    """Says which real rows a batch brings into the game, and under which condition."""

    def __call__(self, batch: Rows, generator: torch.Generator) -> tuple[Tensor, Tensor | None]:
        """Return rows (n, d) and their conditions (n, c), or None without conditions."""


# What the generator's loss has besides the game: of its raw outputs, its rows, real rows and conditions; (n,).
Hint = Callable[[Tensor, Tensor, Tensor, Tensor | None], Tensor]


def without_condition(batch: Rows, generator: torch.Generator) -> tuple[Tensor, Tensor | None]:
    """Play for all rows alike."""
    return batch.inputs, None


@contextmanager
def standing_still(network: nn.Module) -> Iterator[None]:
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


class Adversarial:
    """Play a step of the discriminator on every batch, and one of the generator on every n-th.

    Args:
        generator: maps noise, and a condition, to rows.
        discriminator: scores rows, beside their condition.
        settings: the game.
        draws: noise, masks, instance noise and the places of penalties come from here; on the players' device.
        pairing: which real rows and conditions a batch stands for.
        hint: a further loss of the generator.
        measured: the same as `pairing` for rows that are measured; by default that one.
    """

    def __init__(
        self,
        generator: Generator,
        discriminator: Discriminator,
        settings: GameSettings,
        draws: torch.Generator,
        pairing: Pairing = without_condition,
        hint: Hint | None = None,
        measured: Pairing | None = None,
    ) -> None:
        self.generator, self.discriminator = generator, discriminator
        self.settings, self.draws, self.pairing, self.hint = settings, draws, pairing, hint
        self.measured = measured or pairing
        self.game = objective_of(settings.objective)
        self.generator_optimiser = self._optimiser(generator, settings.generator_rate)
        self.discriminator_optimiser = self._optimiser(discriminator, settings.discriminator_rate)
        self.average = copy.deepcopy(generator).requires_grad_(False) if settings.average else None
        self.deviation = settings.instance_noise
        self.batches_seen = self.generator_steps = 0
        for player in (generator, discriminator):
            player.use_generator(draws)

    def _optimiser(self, player: nn.Module, rate: float) -> torch.optim.Optimizer:
        s, parameters = self.settings, list(player.parameters())
        if s.optimiser == "adam":
            return torch.optim.Adam(parameters, rate, betas=(s.beta_1, s.beta_2), fused=True)
        return {"rmsprop": torch.optim.RMSprop, "sgd": torch.optim.SGD}[s.optimiser](parameters, rate)

    @property
    def sampler(self) -> Generator:
        """The generator to sample from: the running average of its weights if there is one."""
        return self.generator if self.average is None else self.average

    def begin_epoch(self, epoch: int, epochs: int) -> None:
        """Set the rates and the instance noise of the epoch."""
        s, done = self.settings, (epoch - 1) / epochs
        factor = rate_factor(s.schedule, done)
        for optimiser, rate in (
            (self.generator_optimiser, s.generator_rate),
            (self.discriminator_optimiser, s.discriminator_rate),
        ):
            for group in optimiser.param_groups:
                group["lr"] = rate * factor
        self.deviation = s.instance_noise * (1 - (epoch - 1) / max(1, epochs - 1))
        self.generator.train()
        self.discriminator.train()

    def train_step(self, batch: Rows) -> Losses:
        """Play on a batch; every loss is of a row, or of a pack of rows."""
        losses = self.discriminator_step(batch)
        self.batches_seen += 1
        if self.batches_seen % self.settings.discriminator_steps == 0:
            losses |= self.generator_step(batch)
        return losses

    def _real_rows(self, batch: Rows) -> tuple[Tensor, Tensor | None]:
        rows, condition = self.pairing(batch, self.draws)
        whole = len(rows) - len(rows) % self.discriminator.config.packed
        return rows[:whole], None if condition is None else condition[:whole]

    def _judge(self, rows: Tensor, condition: Tensor | None) -> Tensor:
        with products_in(self.settings.precision, rows.device):
            return self.discriminator(rows, condition).to(rows.dtype)

    def _generate(self, n: int, condition: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return raw outputs and rows."""
        z = self.generator.noise(n, self.draws)
        with products_in(self.settings.precision, z.device):
            raw = self.generator.scores(z, condition).to(z.dtype)
        return raw, self.generator.end(raw)

    def _noisy(self, rows: Tensor) -> Tensor:
        if not self.deviation:
            return rows
        noise = torch.randn(rows.shape, generator=self.draws, device=rows.device, dtype=rows.dtype)
        return rows + self.deviation * noise

    def discriminator_step(self, batch: Rows) -> Losses:
        """Improve the discriminator while the generator stands still."""
        s, game = self.settings, self.game
        real, condition = self._real_rows(batch)
        with standing_still(self.generator), torch.no_grad():
            fake = self._generate(len(real), condition)[1]
        real, fake = self._noisy(real), self._noisy(fake)
        if (
            self.discriminator.config.normalisation == "batch"
        ):  # statistics of real and of generated rows apart
            real_scores, fake_scores = self._judge(real, condition), self._judge(fake, condition)
        else:
            twice = None if condition is None else torch.cat([condition, condition])
            real_scores, fake_scores = self._judge(torch.cat([real, fake]), twice).chunk(2)
        losses = game.real_loss(real_scores, s.label_smoothing) + game.fake_loss(fake_scores)
        cost, extra = losses.mean(), self._penalty(real, fake, condition)
        if extra is not None:
            cost = cost + extra.mean()
        self.discriminator_optimiser.zero_grad()
        cost.backward()
        norm = _norm(self.discriminator)
        self.discriminator_optimiser.step()
        if s.objective == "wasserstein":
            with torch.no_grad():
                for parameter in self.discriminator.parameters():
                    parameter.clamp_(-s.clip, s.clip)
        with torch.no_grad():
            found = self._scores(real_scores, fake_scores)
            found |= {"discriminator_loss": losses, "discriminator_gradient": norm.expand(len(losses))}
        if extra is not None:
            found["penalty"] = extra
        return {name: value.detach() for name, value in found.items()}

    def _penalty(self, real: Tensor, fake: Tensor, condition: Tensor | None) -> Tensor | None:
        s, pack = self.settings, self.discriminator.config.packed
        if s.objective == "wasserstein_penalty":
            shares = torch.rand(len(real) // pack, 1, generator=self.draws, device=real.device)
            found = unit_norm_penalty(lambda x: self.discriminator(x, condition), real, fake, shares, pack)
            return s.gradient_penalty * found
        if s.r1:
            return s.r1 / 2 * r1_penalty(lambda x: self.discriminator(x, condition), real, pack)
        return None

    def _scores(self, real: Tensor, fake: Tensor) -> Losses:
        game = self.game
        found = {
            "value": game.real_value(real) + game.fake_value(fake),
            "d_of_x": game.shown(real),
            "d_of_g": game.shown(fake),
        }
        right = game.right(real, fake)
        return found if right is None else found | {"discriminator_accuracy": right}

    def generator_step(self, batch: Rows) -> Losses:
        """Improve the generator while the discriminator stands still; `signal` is |d loss / d score|."""
        s = self.settings
        real, condition = self._real_rows(batch)
        with standing_still(self.discriminator):
            raw, fake = self._generate(len(real), condition)
            scores = self._judge(self._noisy(fake), condition)
            scores.retain_grad()
            losses = self.game.generator_loss(scores)
            cost, found = losses.mean(), {"generator_loss": losses}
            if s.reconstruction:
                found["reconstruction"] = (real - fake).abs().mean(1)
                cost = cost + s.reconstruction * found["reconstruction"].mean()
            if self.hint is not None:
                found["hint"] = self.hint(raw, fake, real, condition)
                cost = cost + found["hint"].mean()
            self.generator_optimiser.zero_grad()
            cost.backward()
            assert scores.grad is not None
            found["signal"] = scores.grad.abs() * len(scores)
        found["generator_gradient"] = _norm(self.generator).expand(len(scores))
        self.generator_optimiser.step()
        self.generator_steps += 1
        self._follow()
        return {name: value.detach() for name, value in found.items()}

    def _follow(self) -> None:
        """Move the running average towards the generator, its running statistics too."""
        if self.average is None:
            return
        decay = min(self.settings.average, (1 + self.generator_steps) / (WARM_UP + self.generator_steps))
        pairs = zip(self.average.state_dict().values(), self.generator.state_dict().values(), strict=True)
        with torch.no_grad():
            for mean, now in pairs:
                if mean.is_floating_point():
                    mean.lerp_(now, 1 - decay)
                else:
                    mean.copy_(now)

    def measure(self, batch: Rows) -> Losses:
        """Return the value and the scores of held-out rows against samples; nothing changes, no draw either."""
        draws = generator_for(self.draws.initial_seed(), "measure", device=batch.inputs.device)
        real, condition = self.measured(batch, draws)
        whole = len(real) - len(real) % self.discriminator.config.packed
        real, condition = real[:whole], None if condition is None else condition[:whole]
        fake = self.sampler.sample(whole, draws, condition)
        self.sampler.use_generator(self.draws)
        learning = self.discriminator.training
        self.discriminator.eval()
        found = self._scores(self.discriminator(real, condition), self.discriminator(fake, condition))
        self.discriminator.train(learning)
        return found

    def state(self) -> dict[str, Tensor]:
        """Return copies of both players, the average, both optimisers' moments, the draws and the counts."""
        state: dict[str, Tensor] = {}
        for name, player in self._players().items():
            state |= {f"{name}.{key}": value.clone() for key, value in player.state_dict().items()}
        state |= flat_moments(self.generator_optimiser, "generator_optimiser")
        state |= flat_moments(self.discriminator_optimiser, "discriminator_optimiser")
        state["draws"] = self.draws.get_state()
        state["counts"] = torch.tensor([self.batches_seen, self.generator_steps])
        return state

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Go back to a state that `state()` returned."""
        for name, player in self._players().items():
            own = {k.removeprefix(f"{name}."): v for k, v in state.items() if k.startswith(f"{name}.")}
            player.load_state_dict(own)
        load_moments(self.generator_optimiser, "generator_optimiser", state)
        load_moments(self.discriminator_optimiser, "discriminator_optimiser", state)
        self.draws.set_state(state["draws"])
        self.batches_seen, self.generator_steps = (int(count) for count in state["counts"])

    def _players(self) -> dict[str, nn.Module]:
        players: dict[str, nn.Module] = {"generator": self.generator, "discriminator": self.discriminator}
        return players if self.average is None else players | {"average": self.average}


def _norm(player: nn.Module) -> Tensor:
    """Return the Euclidean norm of all gradients together."""
    gradients = [p.grad for p in player.parameters() if p.grad is not None]
    return torch.nn.utils.get_total_norm(gradients)
