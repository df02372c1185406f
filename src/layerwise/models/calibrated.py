"""A trained classifier whose probabilities were calibrated afterwards."""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor, nn

from layerwise.models.kinds import KINDS, register_network
from layerwise.utils import Config


class CalibratedConfig(Config):
    """A network, and by what its logits are calibrated.

    Args:
        network: the config of the network inside, as plain data with its `kind`.
        task: whether its outputs are classes or labels.
        n_points: points of each output's isotonic function; 0: the logits are divided by a temperature alone.
        smallest: how near to 0 and 1 an isotonic probability may come.
    """

    kind: Literal["calibrated"] = "calibrated"
    network: dict[str, Any]
    task: Literal["binary", "multiclass", "multilabel"]
    n_points: int = 0
    smallest: float = 1e-6

    @property
    def n_inputs(self) -> int:
        """The number of input columns."""
        return int(self.network["n_inputs"])

    @property
    def n_outputs(self) -> int:
        """The number of outputs."""
        return int(self.network["n_outputs"])


@register_network(CalibratedConfig)
class CalibratedNetwork(nn.Module):
    """A network whose `forward` returns calibrated logits: their sigmoid, or softmax, are the probabilities.

    Temperature scaling divides all logits by one number (Guo et al. 2017), which leaves every order as it is. Isotonic
    regression maps each output's probability by an increasing function, linear between points; those of several
    classes are then divided by their sum (Zadrozny & Elkan 2002).

    Args:
        config: the shape.
        network: what is calibrated; None makes one of the config, to be loaded.
    """

    temperature: Tensor
    scores: Tensor
    probabilities: Tensor

    def __init__(self, config: CalibratedConfig, network: nn.Module | None = None) -> None:
        super().__init__()
        self.config = config
        if network is None:
            config_class, network_class = KINDS.find(str(config.network.get("kind")))
            network = network_class(config_class(**config.network))
        self.network = network
        shape = config.n_outputs, config.n_points
        self.register_buffer("temperature", torch.ones(()))
        self.register_buffer("scores", torch.zeros(shape))
        self.register_buffer("probabilities", torch.zeros(shape))

    def around(self, network: nn.Module) -> CalibratedNetwork:
        """Return this calibration around another network of the same shape."""
        found = CalibratedNetwork(self.config, network)
        for name in ("temperature", "scores", "probabilities"):
            getattr(found, name).copy_(getattr(self, name))
        return found.eval()

    def forward(self, x: Tensor) -> Tensor:
        """Return calibrated logits, shape (rows, n_outputs)."""
        logits = self.network(x) / self.temperature
        if not self.config.n_points:
            return logits
        several = self.config.task == "multiclass"
        found = self._isotonic(logits.softmax(1) if several else logits.sigmoid())
        smallest = self.config.smallest
        found = found.clamp(smallest, 1 - smallest)
        return (found / found.sum(1, keepdim=True)).log() if several else found.log() - (-found).log1p()

    def _isotonic(self, given: Tensor) -> Tensor:
        """Return each output's function of its probabilities (rows, n_outputs), linear between its points."""
        above = torch.searchsorted(self.scores, given.T.contiguous(), right=True)
        above = above.clamp(1, self.config.n_points - 1)
        low, high = (self.scores.gather(1, each) for each in (above - 1, above))
        first, last = (self.probabilities.gather(1, each) for each in (above - 1, above))
        fraction = ((given.T - low) / (high - low).clamp_min(torch.finfo(given.dtype).tiny)).clamp(0, 1)
        return (first + fraction * (last - first)).T
