"""What is logged as a model: the folder that a run writes, and MLflow's files around it."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
