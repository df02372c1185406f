"""Kedro dataset classes: raw sources, preprocessed rows, preprocessors, networks, trained models and predictions."""
