"""What a regression's target becomes before it is learnt, and the way back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np

from layerwise.data.errors import DataError
from layerwise.utils import Config

TransformName = Literal["none", "log1p", "sqrt", "yeo_johnson", "quantile"]
# Points of a quantile transform: quantiles of the training rows, evenly spaced in probability.
POINTS = 201


class TargetTransform(Config):
    """An increasing function of each target, so that a median and the ends of an interval stay what they are.

    `log1p` is log(1 + y). `sqrt` is the root of y. `yeo_johnson` is the power transform of Yeo & Johnson (2000), whose
    power has the highest likelihood of normal training targets. A power below 0 has an upper bound, near which a little
    more is a target without end, and one above 2 a lower one: there what lies beyond the training targets comes back as
    the largest or smallest one. `quantile` maps the training targets' distribution to the normal one, linear between
    201 points; what lies beyond them comes back as the smallest or largest one.

    Args:
        kind: which.
        parameters: for each target its power with the smallest and the largest training target (the power alone in
            models of earlier versions), or its points; none where nothing is fitted.
    """

    kind: TransformName = "none"
    parameters: tuple[tuple[float, ...], ...] = ()

    @classmethod
    def fit(cls, kind: TransformName, values: np.ndarray, name: str = "target") -> TargetTransform:
        """Return the transform fitted on training targets (n, k).

        Raises:
            DataError: a target lies where the transform is undefined.
        """
        found = cls(kind=kind)
        if not found.defined(values).all():
            bound = "-1: log1p is undefined" if kind == "log1p" else "0: sqrt is undefined"
            at = "at or below" if kind == "log1p" else "below"
            raise DataError(f"target '{name}' has values {at} {bound}")
        if kind == "yeo_johnson":
            from sklearn.preprocessing import PowerTransformer

            powers = PowerTransformer(standardize=False).fit(values).lambdas_
            fitted = zip(powers, values.min(0), values.max(0), strict=True)
            return cls(kind=kind, parameters=tuple(tuple(map(float, each)) for each in fitted))
        if kind == "quantile":
            levels = np.linspace(0, 1, POINTS)
            points = [np.quantile(column, levels) for column in values.T]
            return cls(kind=kind, parameters=tuple(tuple(each.tolist()) for each in points))
        return found

    def defined(self, values: np.ndarray) -> np.ndarray:
        """Return where targets can be transformed, bool in their shape."""
        lowest = {"log1p": -1.0, "sqrt": 0.0}.get(self.kind)
        if lowest is None:
            return np.ones(np.shape(values), dtype=bool)
        return values > lowest if self.kind == "log1p" else values >= lowest

    def forward(self, values: np.ndarray) -> np.ndarray:
        """Return what is learnt of targets (n, k)."""
        if self.kind == "log1p":
            return np.log1p(values)
        if self.kind == "sqrt":
            return np.sqrt(values)
        if self.kind == "none":
            return values
        each = _yeo_johnson if self.kind == "yeo_johnson" else _to_normal
        return _by_column(each, values, self.parameters)

    def inverse(self, values: np.ndarray) -> np.ndarray:
        """Return targets of what was learnt, (n,) or (n, k); what no target becomes is read as the nearest one."""
        if self.kind == "log1p":
            return np.expm1(values)
        if self.kind == "sqrt":
            return np.square(np.maximum(values, 0))
        if self.kind == "none":
            return values
        each = _inverse_yeo_johnson if self.kind == "yeo_johnson" else _from_normal
        return _by_column(each, values, self.parameters).astype(np.asarray(values).dtype)

    def label(self, name: str) -> str:
        """Return how a figure calls what is learnt."""
        shown = {"log1p": f"log(1 + {name})", "sqrt": f"root of {name}", "none": name}
        return shown.get(self.kind, f"{name} ({self.kind.replace('_', '-')})")


LOG1P = TargetTransform(kind="log1p")


def _by_column(
    function: Callable[[np.ndarray, np.ndarray], np.ndarray],
    values: np.ndarray,
    parameters: tuple[tuple[float, ...], ...],
) -> np.ndarray:
    given = np.asarray(values, dtype=np.float64)
    columns = given.reshape(len(given), -1).T
    found = [function(column, np.asarray(own)) for column, own in zip(columns, parameters, strict=True)]
    return np.stack(found, 1).reshape(given.shape)


def _yeo_johnson(y: np.ndarray, fitted: np.ndarray) -> np.ndarray:
    from scipy.stats import yeojohnson

    return np.asarray(yeojohnson(y, float(fitted[0])))


def _inverse_yeo_johnson(x: np.ndarray, fitted: np.ndarray) -> np.ndarray:
    lam, found = float(fitted[0]), np.empty_like(x)
    if len(fitted) > 1 and not 0 <= lam <= 2:
        low, high = _yeo_johnson(fitted[1:], fitted)
        x = np.minimum(x, high) if lam < 0 else np.maximum(x, low)
    above = x >= 0
    # Beyond the bounds no target is found.
    tiny = 1e-9
    if abs(lam) < 1e-12:
        found[above] = np.expm1(np.minimum(x[above], 700))
    else:
        found[above] = np.maximum(lam * x[above] + 1, tiny) ** (1 / lam) - 1
    if abs(lam - 2) < 1e-12:
        found[~above] = -np.expm1(np.minimum(-x[~above], 700))
    else:
        found[~above] = 1 - np.maximum(1 - (2 - lam) * x[~above], tiny) ** (1 / (2 - lam))
    return found


def _levels() -> np.ndarray:
    """Return the normal quantiles of the points; the ends at 1/(4 POINTS) from 0 and 1."""
    from scipy.special import ndtri

    ends = 1 / (4 * POINTS)
    return np.asarray(ndtri(np.linspace(0, 1, POINTS).clip(ends, 1 - ends)))


def _to_normal(y: np.ndarray, points: np.ndarray) -> np.ndarray:
    # Of points that are one value, the middle of their levels.
    levels = _levels()
    return (np.interp(y, points, levels) - np.interp(-y, -points[::-1], -levels[::-1])) / 2


def _from_normal(x: np.ndarray, points: np.ndarray) -> np.ndarray:
    return np.interp(x, _levels(), points)
