"""Restricted Boltzmann machines with every kind of units, and the deep belief network that stacks them.

Pure torch: how they learn is in `training.rbm`, their likelihood in `evaluation.likelihood`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
