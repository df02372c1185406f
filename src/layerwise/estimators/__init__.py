"""The networks as scikit-learn estimators.

They take arrays and know nothing of problems, Kedro or MLflow.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
