"""Why a network does not learn: gradients, updates and activations by layer, and studies of them.

Diagnosis of a GAN is in `training.gan`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
