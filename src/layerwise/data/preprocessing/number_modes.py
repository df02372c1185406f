"""One number column as a mode and a place within it: mode-specific normalisation (Xu et al. 2019, section 4.2)."""

from __future__ import annotations

import warnings

import numpy as np

from layerwise.utils.config import Config

# A mode of less weight is left out, and a value's place is measured in so many deviations of its mode.
MIN_WEIGHT, STDS_PER_UNIT = 0.005, 4.0
# A value that stands out so far from the counts of the others, with this share of the rows, is a mode of its own:
# a balance of exactly 0, a score at its cap. A normal distribution around it would never give the value itself.
ATOM_FRACTION, ATOM_TIMES = 0.02, 10.0
FITTED_ROWS = 5000


class NumberModes(Config):
    """The modes of a number column: exact values first, then normal distributions, then "empty" if cells are.

    `decimals` is how many places its values have, up to 6; generated values stay within `low` and `high`.
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
        """All of them, `empty` too."""
        return len(self.atoms) + len(self.means) + self.empty


def fit_modes(values: np.ndarray, components: int, seed: int) -> NumberModes:
    """Find the modes of training values (n,), NaN where a cell is empty.

    The normal distributions are those of a variational mixture, which leaves out what it has no use for.

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
        some = rng.choice(rest, min(FITTED_ROWS, len(rest)), replace=False)
        standard = ((some - shift) / scale)[:, None]
        mixture = BayesianGaussianMixture(
            n_components=min(components, len(np.unique(standard))),
            weight_concentration_prior=0.001,
            random_state=seed % 2**32,
            max_iter=200,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # a mixture that nearly fits is good enough
            mixture.fit(standard)
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
    """Return each value's place in (-1, 1) within its mode, and its mode, both (n,).

    A value that several normal distributions may have made is given to one of them by their share of its density.
    The place of an exact value or of an empty cell is 0.
    """
    place, mode = np.zeros(len(values)), np.zeros(len(values), dtype=np.int64)
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
        fraction = np.exp(log_density - log_density.max(1, keepdims=True))
        fraction /= fraction.sum(1, keepdims=True)
        drawn = (fraction.cumsum(1) < rng.random((len(x), 1))).sum(1).clip(max=len(means) - 1)
        mode[continuous] = n_atoms + drawn
        place[continuous] = ((x[:, 0] - means[drawn]) / (STDS_PER_UNIT * stds[drawn])).clip(-0.99, 0.99)
    elif continuous.any():  # a value never seen, of a column that held exact values alone
        mode[continuous] = np.abs(values[continuous][:, None] - np.array(modes.atoms)).argmin(1)
    return place, mode


def decode_number(place: np.ndarray, mode: np.ndarray, modes: NumberModes) -> np.ndarray:
    """Return values (n,), NaN for empty cells, rounded and bounded as the training values are."""
    n_atoms = len(modes.atoms)
    values = np.full(len(place), np.nan)
    for k, atom in enumerate(modes.atoms):
        values[mode == k] = atom
    for k, (mean, std) in enumerate(zip(modes.means, modes.stds, strict=True)):
        own = mode == n_atoms + k
        made = place[own] * STDS_PER_UNIT * std + mean
        values[own] = np.round(made.clip(modes.low, modes.high), modes.decimals)
    return values
