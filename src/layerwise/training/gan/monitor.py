"""Watch a game by its samples: how various they are, how they move, and what they look like."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from layerwise.checkpointing.state import Progress
from layerwise.models.gan.generator import Generator
from layerwise.training.callbacks.base import Callback

# Says which mode (a class, or a known centre) each row belongs to, -1 for none: (n, d) to (n,).
ModeAssignment = Callable[[Tensor], Tensor]
# A mode counts as found when it has this share of its fair share of samples.
MODE_FRACTION = 0.25


class GANMonitor(Callback):
    """Sample from the same noise after each epoch.

    `samples/diversity` is the mean distance of a sample to its nearest other one, over the same of as many real rows.
    `samples/displacement` is how far the samples went in the epoch, over the real rows' spread (the root of their summed
    variances), and `samples/net_displacement_fraction` how far they are from where they were a third of all epochs ago, over the way
    they went. `samples/modes` counts modes with at least a quarter of a fair share of the samples.

    Args:
        sampler: the network to sample from.
        noise: (n, latent_size), the same all along.
        condition: (n, c) or None.
        real: (n, d) real rows to compare with.
        make_rng: returns the generator of the sampler's own noise, the same each time.
        modes: which mode each row belongs to.
        n_modes: how many there are.
        every: epochs between two pictures; the start and the last epoch are kept too.
        n_shown: pictures of so many samples.
    """

    def __init__(
        self,
        sampler: Generator,
        noise: Tensor,
        real: Tensor,
        make_rng: Callable[[], torch.Generator],
        *,
        condition: Tensor | None = None,
        modes: ModeAssignment | None = None,
        n_modes: int = 0,
        every: int = 1,
        n_shown: int = 64,
    ) -> None:
        self.sampler, self.noise, self.condition, self.real, self.make_rng = (
            sampler,
            noise,
            condition,
            real,
            make_rng,
        )
        self.modes, self.n_modes, self.every, self.n_shown = modes, n_modes, every, n_shown
        self.real_std = float(real.var(0).sum().sqrt())
        self.real_nearest_distance = _mean_nearest_distance(real)
        self.sample_history: list[tuple[int, Tensor]] = []
        self._recent_samples: list[Tensor] = []

    def on_train_start(self, progress: Progress) -> None:
        """Keep the samples of the untrained network."""
        if not self._recent_samples:
            self._recent_samples = [self._sample()]
            self.sample_history = [(0, self._recent_samples[0][: self.n_shown].clone())]

    def epoch_metrics(self, progress: Progress) -> Mapping[str, float]:
        """Return the epoch's figures, and keep its picture when it is due."""
        samples = self._sample()
        self._recent_samples.append(samples)
        third = max(1, progress.epochs // 3)
        self._recent_samples = self._recent_samples[-(third + 1) :]
        if progress.epoch % self.every == 0 or progress.epoch == progress.epochs:
            self.sample_history.append((progress.epoch, samples[: self.n_shown].clone()))
        steps = [
            _distance(a, b) for a, b in zip(self._recent_samples, self._recent_samples[1:], strict=False)
        ]
        found = {
            "samples/diversity": _mean_nearest_distance(samples) / max(self.real_nearest_distance, 1e-12),
            "samples/displacement": steps[-1] / max(self.real_std, 1e-12),
            "samples/net_displacement_fraction": _distance(self._recent_samples[0], samples)
            / max(sum(steps), 1e-12),
        }
        if self.modes is not None:
            assigned = self.modes(samples)
            counts = torch.bincount(assigned[assigned >= 0], minlength=self.n_modes)
            enough = counts >= MODE_FRACTION * len(samples) / self.n_modes
            found |= {"samples/modes": float(enough.sum()), "samples/known_modes": float(self.n_modes)}
        return found

    @torch.no_grad()
    def _sample(self) -> Tensor:
        learning, network = self.sampler.training, self.sampler
        network.eval()
        kept = getattr(network.output_activation, "rng", None)
        network.use_rng(self.make_rng())
        samples = network(self.noise, self.condition)
        if kept is not None:
            network.use_rng(kept)
        network.train(learning)
        return samples

    def state_dict(self) -> dict[str, Tensor]:
        """Return copies of the pictures and of the samples' trail."""
        state = {f"sample_history.{epoch}": rows.clone() for epoch, rows in self.sample_history}
        return state | {f"recent_samples.{k}": rows.clone() for k, rows in enumerate(self._recent_samples)}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go back to a state that `state_dict()` returned."""
        found: dict[str, list[tuple[int, Tensor]]] = {"sample_history": [], "recent_samples": []}
        for name, rows in state.items():
            kind, number = name.split(".")
            found[kind].append((int(number), rows.clone()))
        self.sample_history = sorted(found["sample_history"], key=lambda each: each[0])
        self._recent_samples = [rows for _, rows in sorted(found["recent_samples"], key=lambda each: each[0])]


def _mean_nearest_distance(rows: Tensor) -> float:
    """Return the mean distance of a row to its nearest other one."""
    distances = torch.cdist(rows, rows, compute_mode="donot_use_mm_for_euclid_dist")
    return float(distances.fill_diagonal_(float("inf")).min(1).values.mean())


def _distance(a: Tensor, b: Tensor) -> float:
    """Return the mean distance between rows of the same noise."""
    return float((a - b).norm(dim=1).mean())
