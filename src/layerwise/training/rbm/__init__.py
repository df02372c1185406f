"""How restricted Boltzmann machines learn: contrastive divergence, chains, greedy pretraining.

The energies and units are in `models.rbm`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
