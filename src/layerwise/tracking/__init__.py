"""Runs and models in MLflow: the hook, the buffered logger, the model registry.

How a run's state is kept on disk is in `checkpointing`, how a model predicts in `inference`.
"""
