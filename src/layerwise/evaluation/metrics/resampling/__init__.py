"""Rows drawn with replacement: the weights of rows, and what ranks them."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
