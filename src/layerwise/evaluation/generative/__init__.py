"""Metrics of generated rows: distances to real ones, precision and recall, memorization, utility.

They hold for any generator of rows; training of GANs is in `training.gan`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
