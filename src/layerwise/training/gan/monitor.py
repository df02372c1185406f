"""Watch a game by its samples: how various they are, how they move, and what they look like."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from layerwise.checkpointing.state import Progress
from layerwise.models.gan.generator import Generator
from layerwise.training.callbacks.base import Callback

# Says which mode (a class, or a known centre) each row belongs to, -1 for none: (n, d) to (n,).
Modes = Callable[[Tensor], Tensor]
# A mode counts as found when it has this share of its fair share of samples.
FAIR_SHARE = 0.25


class GameMonitor(Callback):
    """Sample from the same noise after each epoch.

    `samples/diversity` is the mean distance of a sample to its nearest other one, over the same of as many real rows.
    `samples/moved` is how far the samples went in the epoch, over the real rows' spread (the root of their summed
    variances), and `samples/net_share` how far they are from where they were a third of all epochs ago, over the way
    they went. `samples/modes` counts modes with at least a quarter of a fair share of the samples.

    Args:
        sampler: the network to sample from.
        noise: (n, latent_size), the same all along.
        condition: (n, c) or None.
        real: (n, d) real rows to compare with.
        draws: returns the generator of the sampler's own noise, the same each time.
        modes: which mode each row belongs to.
        n_modes: how many there are.
        every: epochs between two pictures; the start and the last epoch are kept too.
        shown: pictures of so many samples.
    """

    def __init__(
        self,
        sampler: Generator,
        noise: Tensor,
        real: Tensor,
        draws: Callable[[], torch.Generator],
        *,
        condition: Tensor | None = None,
        modes: Modes | None = None,
        n_modes: int = 0,
        every: int = 1,
        shown: int = 64,
    ) -> None:
        self.sampler, self.noise, self.condition, self.real, self.draws = (
            sampler,
            noise,
            condition,
            real,
            draws,
        )
        self.modes, self.n_modes, self.every, self.shown = modes, n_modes, every, shown
        self.spread = float(real.var(0).sum().sqrt())
        self.apart = _apart(real)
        self.film: list[tuple[int, Tensor]] = []
        self._trail: list[Tensor] = []

    def on_train_begin(self, progress: Progress) -> None:
        """Keep the samples of the untrained network."""
        if not self._trail:
            self._trail = [self._sample()]
            self.film = [(0, self._trail[0][: self.shown].clone())]

    def measure_epoch(self, progress: Progress) -> Mapping[str, float]:
        """Return the epoch's figures, and keep its picture when it is due."""
        samples = self._sample()
        self._trail.append(samples)
        third = max(1, progress.epochs // 3)
        self._trail = self._trail[-(third + 1) :]
        if progress.epoch % self.every == 0 or progress.epoch == progress.epochs:
            self.film.append((progress.epoch, samples[: self.shown].clone()))
        steps = [_distance(a, b) for a, b in zip(self._trail, self._trail[1:], strict=False)]
        found = {
            "samples/diversity": _apart(samples) / max(self.apart, 1e-12),
            "samples/moved": steps[-1] / max(self.spread, 1e-12),
            "samples/net_share": _distance(self._trail[0], samples) / max(sum(steps), 1e-12),
        }
        if self.modes is not None:
            codes = self.modes(samples)
            counts = torch.bincount(codes[codes >= 0], minlength=self.n_modes)
            enough = counts >= FAIR_SHARE * len(samples) / self.n_modes
            found |= {"samples/modes": float(enough.sum()), "samples/known_modes": float(self.n_modes)}
        return found

    @torch.no_grad()
    def _sample(self) -> Tensor:
        learning, network = self.sampler.training, self.sampler
        network.eval()
        kept = getattr(network.end, "generator", None)
        network.use_generator(self.draws())
        samples = network(self.noise, self.condition)
        if kept is not None:
            network.use_generator(kept)
        network.train(learning)
        return samples

    def state(self) -> dict[str, Tensor]:
        """Return copies of the pictures and of the samples' trail."""
        state = {f"film.{epoch}": rows.clone() for epoch, rows in self.film}
        return state | {f"trail.{k}": rows.clone() for k, rows in enumerate(self._trail)}

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Go back to a state that `state()` returned."""
        found: dict[str, list[tuple[int, Tensor]]] = {"film": [], "trail": []}
        for name, rows in state.items():
            kind, number = name.split(".")
            found[kind].append((int(number), rows.clone()))
        self.film = sorted(found["film"], key=lambda each: each[0])
        self._trail = [rows for _, rows in sorted(found["trail"], key=lambda each: each[0])]


def _apart(rows: Tensor) -> float:
    """Return the mean distance of a row to its nearest other one."""
    distances = torch.cdist(rows, rows, compute_mode="donot_use_mm_for_euclid_dist")
    return float(distances.fill_diagonal_(float("inf")).min(1).values.mean())


def _distance(a: Tensor, b: Tensor) -> float:
    """Return the mean distance between rows of the same noise."""
    return float((a - b).norm(dim=1).mean())
