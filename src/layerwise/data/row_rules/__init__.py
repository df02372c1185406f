"""Rules between the columns of a table's rows: stated or found in training rows, and kept by rows that are drawn."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
