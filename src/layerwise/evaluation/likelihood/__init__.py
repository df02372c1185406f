"""Log-probabilities in nats: exact, by annealed importance sampling, by importance weights, by Parzen windows.

The energies themselves are in `models.rbm`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
