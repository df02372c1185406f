"""The generator and the discriminator of an adversarial network, for images and for tables.

How they learn is in `training.gan`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
