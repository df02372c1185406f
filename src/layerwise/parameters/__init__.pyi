from .checks import ParameterError as ParameterError, check_parameters as check_parameters
from .compare import CompareSettings as CompareSettings
from .compute import (
    ComputeSettings as ComputeSettings,
    TrackingSettings as TrackingSettings,
    apply_compute_settings as apply_compute_settings,
    require_spread as require_spread,
    require_streamed as require_streamed,
)
from .evaluation import EvaluationSettings as EvaluationSettings
from .inference import (
    EvaluateSettings as EvaluateSettings,
    PredictSettings as PredictSettings,
    TaskSettings as TaskSettings,
)
from .keys import PARAMETERS as PARAMETERS, is_model as is_model, without_empty_keys as without_empty_keys
from .networks import (
    DBMSettings as DBMSettings,
    DBNSettings as DBNSettings,
    RBMSettings as RBMSettings,
)
from .rules import segments_without_table as segments_without_table
from .unread import (
    given_parameters as given_parameters,
    groups_read as groups_read,
    unread_in_part as unread_in_part,
    unread_setting as unread_setting,
)
from .used import used_settings as used_settings
