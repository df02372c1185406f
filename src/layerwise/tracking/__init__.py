"""Runs and models in MLflow: the hook, the logger that bears a lost server, the registry of models.

How a run's state is kept on disk is in `checkpointing`, how a model answers in `inference`.
"""
