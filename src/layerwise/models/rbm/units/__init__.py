"""The kinds of units that a restricted Boltzmann machine can have: one file an idea, the same verbs for each."""

from layerwise.models.rbm.units.base import Units, UnitsError
from layerwise.models.rbm.units.bernoulli import Bernoulli
from layerwise.models.rbm.units.counts import Counts
from layerwise.models.rbm.units.gaussian import Gaussian, GaussianVariance
from layerwise.models.rbm.units.mixed import Mixed, UnitBlock, unit_blocks
from layerwise.models.rbm.units.rectified import Rectified
from layerwise.models.rbm.units.softmax import Softmax

VISIBLE_UNITS: dict[str, type[Bernoulli] | type[Gaussian]] = {"bernoulli": Bernoulli, "gaussian": Gaussian}

__all__ = [
    "VISIBLE_UNITS",
    "Bernoulli",
    "Counts",
    "Gaussian",
    "GaussianVariance",
    "Mixed",
    "Rectified",
    "Softmax",
    "UnitBlock",
    "Units",
    "UnitsError",
    "unit_blocks",
]
