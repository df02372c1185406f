from .checks import ParameterChecksHook as ParameterChecksHook
from .hook import TrackingHook as TrackingHook, tracking_uri as tracking_uri
from .model_lookup import find_model as find_model
from .registry import register as register
