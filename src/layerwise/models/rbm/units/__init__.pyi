from .base import (
    HIDDEN as HIDDEN,
    VISIBLE as VISIBLE,
    HiddenName as HiddenName,
    LayerShape as LayerShape,
    StackVisibleName as StackVisibleName,
    UnitBlock as UnitBlock,
    Units as Units,
    UnitsError as UnitsError,
    VisibleName as VisibleName,
    register_units as register_units,
)
from .bernoulli import BernoulliUnits as BernoulliUnits
from .counts import ReplicatedSoftmaxUnits as ReplicatedSoftmaxUnits
from .gaussian import (
    LOWEST_LOG_VARIANCE as LOWEST_LOG_VARIANCE,
    GaussianUnits as GaussianUnits,
    GaussianVarianceUnits as GaussianVarianceUnits,
)
from .mixed import unit_blocks as unit_blocks
from .rectified import NoisyReLUUnits as NoisyReLUUnits
from .softmax import SoftmaxUnits as SoftmaxUnits
