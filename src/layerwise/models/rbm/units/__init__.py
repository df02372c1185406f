"""The kinds of units that a restricted Boltzmann machine can have: one file a kind, the same methods for each.

The RBM that joins two layers of them is in `models.rbm`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
