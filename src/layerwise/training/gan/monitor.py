"""A callback that samples from fixed noise: diversity, displacement, modes, and snapshots for an animation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise

import torch
from torch import Tensor

from layerwise.checkpointing import Progress
from layerwise.models.gan import Generator
from layerwise.training.callbacks import Callback

# The mode (a class, or a known centre) that each row belongs to, -1 for none: (n, d) to (n,).
ModeAssignment = Callable[[Tensor], Tensor]
# How far generated rows are from real ones: (n, d) to a number.
SampleDistance = Callable[[Tensor], float]
# A mode counts as found when it has this fraction of n / n_modes samples.
MODE_FRACTION = 0.25


class GANMonitor(Callback):
    """Sample from fixed noise after each epoch.

    `samples/diversity` is the mean distance of a sample to its nearest other one, over the same of real rows.
    `samples/displacement` is how far the samples moved in the epoch, over the real rows' standard deviation
    (the root of their summed variances), and `samples/net_displacement_fraction` how far they are from where
    they were a third of all epochs ago, over the way they went. `samples/modes` counts the modes with at least
    a quarter of n / n_modes samples, and `validation/frechet_distance` is what `distance` says.

    Args:
        sampler: the network to sample from.
        noise: (n, latent_size), fixed.
        real: (n, d) real rows to compare with.
        make_rng: returns the random generator of the sampler's own noise, the same each time.
        condition: (n, c) or None.
        modes: which mode each row belongs to.
        n_modes: how many there are.
        distance: of samples from validation rows.
        every: epochs between two snapshots of the samples; the start and the last epoch are kept too.
        n_shown: samples of a snapshot.
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
        distance: SampleDistance | None = None,
        every: int = 1,
        n_shown: int = 64,
    ) -> None:
        self.sampler, self.make_rng = sampler, make_rng
        self.noise, self.condition, self.real = noise, condition, real
        self.modes, self.n_modes, self.every, self.n_shown = modes, n_modes, every, n_shown
        self.distance = distance
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
        """Return the epoch's metrics, and keep a snapshot of its samples where it is due."""
        samples = self._sample()
        self._recent_samples.append(samples)
        third = max(1, progress.epochs // 3)
        self._recent_samples = self._recent_samples[-(third + 1) :]
        if progress.epoch % self.every == 0 or progress.epoch == progress.epochs:
            self.sample_history.append((progress.epoch, samples[: self.n_shown].clone()))
        steps = [_mean_distance(a, b) for a, b in pairwise(self._recent_samples)]
        found = {
            "samples/diversity": _mean_nearest_distance(samples) / max(self.real_nearest_distance, 1e-12),
            "samples/displacement": steps[-1] / max(self.real_std, 1e-12),
            "samples/net_displacement_fraction": _mean_distance(self._recent_samples[0], samples)
            / max(sum(steps), 1e-12),
        }
        if self.distance is not None:
            found["validation/frechet_distance"] = self.distance(samples)
        if self.modes is not None:
            assigned = self.modes(samples)
            counts = torch.bincount(assigned[assigned >= 0], minlength=self.n_modes)
            reached = counts >= MODE_FRACTION * len(samples) / self.n_modes
            found |= {"samples/modes": float(reached.sum()), "samples/known_modes": float(self.n_modes)}
        return found

    @torch.no_grad()
    def _sample(self) -> Tensor:
        was_training, network = self.sampler.training, self.sampler
        network.eval()
        previous_rng = getattr(network.output_activation, "rng", None)
        network.use_rng(self.make_rng())
        samples = network(self.noise, self.condition)
        network.use_rng(previous_rng)
        network.train(was_training)
        return samples

    def state_dict(self) -> dict[str, Tensor]:
        """Return copies of the snapshots and of the recent samples."""
        state = {f"sample_history.{epoch}": rows.clone() for epoch, rows in self.sample_history}
        return state | {f"recent_samples.{k}": rows.clone() for k, rows in enumerate(self._recent_samples)}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Restore a state that `state_dict()` returned."""
        found: dict[str, list[tuple[int, Tensor]]] = {"sample_history": [], "recent_samples": []}
        for name, rows in state.items():
            kind, number = name.split(".")
            found[kind].append((int(number), rows.clone()))
        self.sample_history = sorted(found["sample_history"], key=lambda each: each[0])
        self._recent_samples = [rows for _, rows in sorted(found["recent_samples"], key=lambda each: each[0])]


def _mean_nearest_distance(rows: Tensor) -> float:
    """Return the mean distance of a row to its nearest other one; NaN of a row alone.

    Products of matrices take a tenth of the time of differences; as their squares cancel, they are taken in double
    precision, which not every device has.
    """
    if len(rows) < 2:
        return float("nan")
    exact = rows.double() if rows.device.type != "mps" else rows.cpu().double()
    distances = torch.cdist(exact, exact, compute_mode="use_mm_for_euclid_dist")
    return float(distances.fill_diagonal_(float("inf")).min(1).values.mean())


def _mean_distance(a: Tensor, b: Tensor) -> float:
    """Return the mean distance between rows of the same noise."""
    return float((a - b).norm(dim=1).mean())
