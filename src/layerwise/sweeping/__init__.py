"""`kedro sweep`: a search over hyperparameters, by processes that share a study of Optuna and report to MLflow.

A launcher makes the study and the parent run and starts the workers; each worker runs trial after trial in one process,
up to the training of the network, and measures it on the validation rows alone.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
