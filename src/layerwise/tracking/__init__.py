"""Runs and models in MLflow: the hook, the buffered logger, the model registry.

How a run's state is kept on disk is in `checkpointing`, how a model predicts in `inference`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
