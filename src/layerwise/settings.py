"""Kedro's settings."""

import os

from kedro.config import OmegaConfigLoader

from layerwise.guards import GuardHook
from layerwise.place import problem
from layerwise.tracking import TrackingHook

# A forked worker would inherit the tracking database's connection and torch's threads in an unknown state.
os.environ.setdefault("KEDRO_MP_CONTEXT", "spawn")

HOOKS = (GuardHook(), TrackingHook())

CONFIG_LOADER_CLASS = OmegaConfigLoader
CONFIG_LOADER_ARGS = {
    "base_env": "base",
    "default_run_env": "local",
    # A problem says only what differs from the defaults.
    "merge_strategy": {"parameters": "soft"},
    "config_patterns": {"catalog": ["catalog*", "catalog*/**"]},
    # ${problem:} in the catalog's paths.
    "custom_resolvers": {"problem": problem},
}
