"""The kinds of units that a restricted Boltzmann machine can have: one file an idea, the same methods for each."""

from layerwise.models.rbm.units.base import Units, UnitsError
from layerwise.models.rbm.units.bernoulli import BernoulliUnits
from layerwise.models.rbm.units.counts import ReplicatedSoftmaxUnits
from layerwise.models.rbm.units.gaussian import GaussianUnits, GaussianVarianceUnits
from layerwise.models.rbm.units.mixed import MixedUnits, UnitBlock, unit_blocks
from layerwise.models.rbm.units.rectified import NoisyReLUUnits
from layerwise.models.rbm.units.softmax import SoftmaxUnits

VISIBLE_UNITS: dict[str, type[BernoulliUnits] | type[GaussianUnits]] = {
    "bernoulli": BernoulliUnits,
    "gaussian": GaussianUnits,
}

__all__ = [
    "VISIBLE_UNITS",
    "BernoulliUnits",
    "GaussianUnits",
    "GaussianVarianceUnits",
    "MixedUnits",
    "NoisyReLUUnits",
    "ReplicatedSoftmaxUnits",
    "SoftmaxUnits",
    "UnitBlock",
    "Units",
    "UnitsError",
    "unit_blocks",
]
