"""The columns of a table as a generator has them: categories, and numbers by their modes.

A number is a mode and the value within it: mode-specific normalisation (Xu et al. 2019, section 4.2).
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from layerwise.data.preprocessing.columns import pair_numbers
from layerwise.utils import Config

if TYPE_CHECKING:
    import pandas as pd

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


class EncodedColumn(Config):
    """One column: a number with `modes`, or one of `categories` (texts; "" where a cell may be empty).

    `start` is its first encoded column. A number has one for its normalised value and then one for each mode. One of
    the two numbers in the cells of a raw column names that one as `pair`, whose `part` it is, with `mark` between them.
    """

    name: str
    dtype: str
    start: int
    modes: NumberModes | None = None
    date: bool = False
    whole_days: bool = False
    categories: tuple[str, ...] = ()
    values: tuple[Any, ...] = ()
    pair: str = ""
    part: int = 0
    mark: str = ""

    @property
    def raw_name(self) -> str:
        """The name of the raw column that it comes from."""
        return self.pair or self.name

    def cells(self, frame: pd.DataFrame) -> pd.Series:
        """Return its cells in raw rows: those of its raw column, or their first or second numbers."""
        cells = frame[self.raw_name]
        return part_of_pair(cells, self.part, self.name) if self.pair else cells

    @property
    def sizes(self) -> tuple[int, ...]:
        """The number of encoded columns of each part."""
        return (len(self.categories),) if self.modes is None else (1, self.modes.n_modes)

    @property
    def stop(self) -> int:
        """The encoded column after its last one."""
        return self.start + sum(self.sizes)


class TableEncoding(Config):
    """How the columns of a table are encoded; the target is one of them."""

    columns: tuple[EncodedColumn, ...]
    target: str = ""

    @property
    def width(self) -> int:
        """The number of encoded columns."""
        return self.columns[-1].stop

    @property
    def raw_names(self) -> list[str]:
        """The names of the raw columns."""
        return list(dict.fromkeys(column.raw_name for column in self.columns))

    @property
    def categorical_columns(self) -> tuple[EncodedColumn, ...]:
        """The categorical columns, which rows can be conditional on."""
        return tuple(column for column in self.columns if column.modes is None)


def part_of_pair(cells: pd.Series, part: int, name: str) -> pd.Series:
    """Return the first or the second numbers, 0 or 1, of cells of two under a name; NaN where a cell is empty."""
    import pandas as pd

    return pd.Series(pair_numbers(cells)[:, part], index=cells.index, name=name)
