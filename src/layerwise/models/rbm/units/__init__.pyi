from .base import Units as Units, UnitsError as UnitsError
from .bernoulli import BernoulliUnits as BernoulliUnits
from .counts import ReplicatedSoftmaxUnits as ReplicatedSoftmaxUnits
from .gaussian import (
    LOWEST_LOG_VARIANCE as LOWEST_LOG_VARIANCE,
    GaussianUnits as GaussianUnits,
    GaussianVarianceUnits as GaussianVarianceUnits,
)
from .mixed import MixedUnits as MixedUnits, UnitBlock as UnitBlock, unit_blocks as unit_blocks
from .rectified import NoisyReLUUnits as NoisyReLUUnits
from .softmax import SoftmaxUnits as SoftmaxUnits
