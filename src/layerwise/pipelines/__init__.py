"""Kedro's nodes and pipelines: what runs after what, and nothing of how it is computed."""
