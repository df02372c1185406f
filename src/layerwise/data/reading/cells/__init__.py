"""Cells to values: what a column holds is found once, over all rows, and then every cell is read by itself."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
