from .flat_parameters import flatten_parameters as flatten_parameters, should_flatten as should_flatten
from .optimizer_state import (
    load_moment_tensors as load_moment_tensors,
    moments_to_tensors as moments_to_tensors,
)
from .optimizers import (
    device_options as device_options,
    make_optimizer as make_optimizer,
    python_rates as python_rates,
    reason_against_capture as reason_against_capture,
    set_learning_rate as set_learning_rate,
    without_compiler as without_compiler,
)
from .penalties import clip_gradients as clip_gradients, limit_norms as limit_norms, penalty as penalty
from .schedules import (
    learning_rate_factor as learning_rate_factor,
    scheduled_learning_rate as scheduled_learning_rate,
)
from .settings import (
    OPTIMIZERS as OPTIMIZERS,
    SCHEDULES as SCHEDULES,
    OptimizerName as OptimizerName,
    OptimizerSettings as OptimizerSettings,
    ScheduleName as ScheduleName,
)
