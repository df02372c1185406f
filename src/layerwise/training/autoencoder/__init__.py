"""Training of autoencoders of every kind: reconstruction, penalties, variational bounds, stacks.

The networks are in `models.autoencoder`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
