"""Kedro's settings."""

import os
import sys

from kedro.config import OmegaConfigLoader

from layerwise.guards import GuardHook
from layerwise.place import problem
from layerwise.tracking import TrackingHook

if sys.platform == "linux":
    # Kedro 1.7 runs nodes without their hooks in a spawned worker, and fails where it knows the package.
    os.environ.setdefault("KEDRO_MP_CONTEXT", "fork")
    # A forked worker must not share an open connection to the tracking database.
    os.environ.setdefault("MLFLOW_SQLALCHEMYSTORE_POOLCLASS", "NullPool")

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
