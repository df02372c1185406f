"""Mode-specific normalisation of a number column: a mode and the value within it (Xu et al. 2019, section 4.2)."""

from __future__ import annotations

import warnings

import numpy as np

from layerwise.utils import Config

# A mode of less weight is left out. A value within a mode is measured in units of this many standard deviations.
MIN_WEIGHT, STDS_PER_UNIT = 0.005, 4.0
# A value with this fraction of the rows, and this many times the median count of a value, is a mode of its own, such
# as a balance of exactly 0: a normal distribution around it would never give the value itself.
ATOM_FRACTION, ATOM_TIMES = 0.02, 10.0
FITTED_ROWS = 5000


class NumberModes(Config):
    """The modes of a number column: exact values first, then normal distributions, then empty cells if there are any.

    `decimals` is how many decimal places its values have, up to 6; generated values stay within `low` and `high`.
    """

    atoms: tuple[float, ...] = ()
    means: tuple[float, ...] = ()
    stds: tuple[float, ...] = ()
    weights: tuple[float, ...] = ()
    empty: bool = False
    low: float
    high: float
    decimals: int

    @property
    def n_modes(self) -> int:
        """The number of modes, `empty` included."""
        return len(self.atoms) + len(self.means) + self.empty


def fit_modes(values: np.ndarray, components: int, seed: int) -> NumberModes:
    """Fit the modes to training values (n,), NaN where a cell is empty.

    The normal distributions are those of a variational Gaussian mixture of at most `components`, which empties the
    components that it does not need.

    Raises:
        ValueError: every cell is empty.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import BayesianGaussianMixture

    present = values[~np.isnan(values)]
    if len(present) == 0:
        raise ValueError("every cell is empty")
    distinct, counts = np.unique(present, return_counts=True)
    stands_out = (counts >= ATOM_FRACTION * len(present)) & (counts >= ATOM_TIMES * np.median(counts))
    atoms = distinct[stands_out]
    rest = present[~np.isin(present, atoms)]
    means, stds, weights = np.empty(0), np.empty(0), np.empty(0)
    if len(np.unique(rest)) > 1:
        shift, scale = rest.mean(), rest.std()
        rng = np.random.default_rng(seed)
        sample = rng.choice(rest, min(FITTED_ROWS, len(rest)), replace=False)
        standardized = ((sample - shift) / scale)[:, None]
        mixture = BayesianGaussianMixture(
            n_components=min(components, len(np.unique(standardized))),
            weight_concentration_prior=0.001,
            random_state=seed % 2**32,
            max_iter=200,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # a mixture that nearly fits is good enough
            mixture.fit(standardized)
        kept = mixture.weights_ > MIN_WEIGHT
        means = mixture.means_[kept, 0] * scale + shift
        stds = np.sqrt(mixture.covariances_[kept].reshape(-1)) * scale
        weights = mixture.weights_[kept] / mixture.weights_[kept].sum()
    elif len(rest):  # one value beside the atoms is an atom too
        atoms = np.append(atoms, rest[0])
    return NumberModes(
        atoms=tuple(atoms.tolist()),
        means=tuple(means.tolist()),
        stds=tuple(stds.tolist()),
        weights=tuple(weights.tolist()),
        empty=bool(np.isnan(values).any()),
        low=float(present.min()),
        high=float(present.max()),
        decimals=_decimals(present),
    )


def _decimals(values: np.ndarray) -> int:
    for places in range(6):
        if np.allclose(values, np.round(values, places), rtol=0, atol=1e-9):
            return places
    return 6


def encode_number(
    values: np.ndarray, modes: NumberModes, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return each value normalised within its mode, in (-1, 1), and its mode, both (n,).

    The mode of a value is drawn from the posterior of the normal distributions. The normalised value of an exact
    value or of an empty cell is 0.
    """
    normalized, mode = np.zeros(len(values)), np.zeros(len(values), dtype=np.int64)
    n_atoms, empty = len(modes.atoms), np.isnan(values)
    if empty.any() and not modes.empty:
        raise ValueError("a cell is empty, and none was in the rows that the modes were fitted on")
    mode[empty] = modes.n_modes - 1
    exact = np.zeros(len(values), dtype=bool)
    for k, atom in enumerate(modes.atoms):
        hit = values == atom
        mode[hit], exact = k, exact | hit
    continuous = ~empty & ~exact
    if continuous.any() and modes.means:
        x = values[continuous][:, None]
        means, stds = np.array(modes.means), np.array(modes.stds)
        log_density = np.log(modes.weights) - np.log(stds) - 0.5 * ((x - means) / stds) ** 2
        posterior = np.exp(log_density - log_density.max(1, keepdims=True))
        posterior /= posterior.sum(1, keepdims=True)
        sampled = (posterior.cumsum(1) < rng.random((len(x), 1))).sum(1).clip(max=len(means) - 1)
        mode[continuous] = n_atoms + sampled
        units = STDS_PER_UNIT * stds[sampled]
        normalized[continuous] = ((x[:, 0] - means[sampled]) / units).clip(-0.99, 0.99)
    elif continuous.any():  # a value never seen, of a column that held exact values alone
        mode[continuous] = np.abs(values[continuous][:, None] - np.array(modes.atoms)).argmin(1)
    return normalized, mode


def decode_number(normalized: np.ndarray, mode: np.ndarray, modes: NumberModes) -> np.ndarray:
    """Return values (n,), NaN for empty cells, with the decimal places and the bounds of the training values."""
    n_atoms = len(modes.atoms)
    values = np.full(len(normalized), np.nan)
    for k, atom in enumerate(modes.atoms):
        values[mode == k] = atom
    for k, (mean, std) in enumerate(zip(modes.means, modes.stds, strict=True)):
        own = mode == n_atoms + k
        decoded = normalized[own] * STDS_PER_UNIT * std + mean
        values[own] = np.round(decoded.clip(modes.low, modes.high), modes.decimals)
    return values
