"""Transforms of a batch's inputs: augmentation, corruption, binarization, images in pairs.

Each has a random stream of its own; nothing here is fitted.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
