"""Metrics of supervised networks with bootstrap intervals and base rates, and baseline models beside them.

Metrics of unsupervised networks are in `evaluation.unsupervised`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
