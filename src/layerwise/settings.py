"""Kedro's settings."""

import os
import sys
from pathlib import Path
from typing import Any

from kedro.config import OmegaConfigLoader

from layerwise.guards import GuardHook
from layerwise.place import problem, set_place
from layerwise.tracking import TrackingHook

if sys.platform == "linux":
    # Kedro 1.7 runs nodes without their hooks in a spawned worker, and fails where it knows the package.
    os.environ.setdefault("KEDRO_MP_CONTEXT", "fork")
    # A forked worker must not share an open connection to the tracking database.
    os.environ.setdefault("MLFLOW_SQLALCHEMYSTORE_POOLCLASS", "NullPool")

HOOKS = (GuardHook(), TrackingHook())


class ProblemConfigLoader(OmegaConfigLoader):
    """Names the problem before the catalog's paths are made, for Kedro-Viz too, which runs no hooks."""

    def __getitem__(self, key: str) -> dict[str, Any]:
        """Return a section of the configuration."""
        if key == "catalog":
            set_place(Path(self.conf_source).parent, str(self["parameters"]["problem"]["name"]))
        return super().__getitem__(key)


CONFIG_LOADER_CLASS = ProblemConfigLoader
CONFIG_LOADER_ARGS = {
    "base_env": "base",
    "default_run_env": "local",
    # A problem says only what differs from the defaults.
    "merge_strategy": {"parameters": "soft"},
    "config_patterns": {"catalog": ["catalog*", "catalog*/**"]},
    # ${problem:} in the catalog's paths.
    "custom_resolvers": {"problem": problem},
}
