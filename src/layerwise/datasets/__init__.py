"""Kedro dataset classes: raw sources, tensors, networks, preprocessors, animations, trained models.

They read and write; what is read is made and checked in the packages below.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
