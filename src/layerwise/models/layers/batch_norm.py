"""Batch normalization over the rows of the whole batch, where each of several ranks has its part of them."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from layerwise.utils import ranks


class BatchNorm1d(nn.BatchNorm1d):
    """torch's, of units (n, units); among ranks with the mean and variance of the whole batch on each of them."""

    def forward(self, rows: Tensor) -> Tensor:
        """Return the standardized rows, scaled and shifted."""
        return _normalize(self, rows) if self.training and ranks.is_part() else super().forward(rows)


class BatchNorm2d(nn.BatchNorm2d):
    """torch's, of images (n, channels, height, width); among ranks with the statistics of the whole batch."""

    def forward(self, images: Tensor) -> Tensor:
        """Return the standardized images, scaled and shifted."""
        return _normalize(self, images) if self.training and ranks.is_part() else super().forward(images)


def _normalize(layer: nn.BatchNorm1d | nn.BatchNorm2d, rows: Tensor) -> Tensor:
    """Return what `layer` makes of this rank's rows within the whole batch (Ioffe & Szegedy 2015, algorithm 1)."""
    precise = rows.to(layer.weight.dtype)
    mean = _batch_mean(precise)
    centered = precise - _like(mean, rows)
    variance = _batch_mean(centered.square())
    scale = layer.weight * (variance + layer.eps).rsqrt()
    _follow(layer, mean.detach(), variance.detach(), rows)
    return (centered * _like(scale, rows) + _like(layer.bias, rows)).to(rows.dtype)


def _follow(layer: nn.BatchNorm1d | nn.BatchNorm2d, mean: Tensor, variance: Tensor, rows: Tensor) -> None:
    """Move the running means towards a batch's, the variance as one of n - 1."""
    assert layer.running_mean is not None
    assert layer.running_var is not None
    assert layer.num_batches_tracked is not None
    assert layer.momentum is not None
    n = round(len(rows) / ranks.gradient_weight()) * rows[0, 0].numel()
    with torch.no_grad():
        layer.num_batches_tracked.add_(1)
        layer.running_mean.lerp_(mean, layer.momentum)
        layer.running_var.lerp_(variance * (n / (n - 1)), layer.momentum)


def _batch_mean(rows: Tensor) -> Tensor:
    """Return the mean of each unit or channel over the whole batch."""
    return ranks.batch_mean(rows.flatten(2).mean(2) if rows.dim() > 2 else rows)


def _like(values: Tensor, rows: Tensor) -> Tensor:
    """Return one value a unit or channel in a shape that goes with rows."""
    return values.view(-1, *[1] * (rows.dim() - 2))
