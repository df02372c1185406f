"""Layerwise: classic deep networks as tracked Kedro pipelines."""

__version__ = "0.1.0"
