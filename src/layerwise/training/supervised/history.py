"""What fine-tuning leaves behind besides its networks, as it stands in the catalog."""

from __future__ import annotations

from layerwise.training.histories import Epoch
from layerwise.utils import Config


class MemberHistory(Config):
    """How one network of a stack ended: `best_epoch` is 0 without `keep_best_weights`."""

    seed: int
    epochs: int
    best_epoch: int
    stopped: str


class GridPoint(Config):
    """One combination of a grid, with mean and standard deviation of its networks' scores on the validation rows.

    Where some networks `diverged` the point has no mean, and the deviation is that of the others.
    """

    settings: dict[str, float]
    mean: float | None
    std: float
    diverged: int = 0


class FinetuningHistory(Config):
    """The epochs of the network's training, the one whose weights it has (0: the last), and why it stopped.

    `stopped` is empty where training went through all epochs.

    `members` and `grid` (the best point first, by the metric `monitor`) are of several networks at once;
    `layer_statistics` (per epoch) and `diagnoses` of a network that was watched.
    """

    epochs: tuple[Epoch, ...]
    stopped: str
    seconds: float
    best_epoch: int = 0
    members: tuple[MemberHistory, ...] = ()
    grid: tuple[GridPoint, ...] = ()
    monitor: str = ""
    layer_statistics: tuple[Epoch, ...] = ()
    diagnoses: tuple[str, ...] = ()
