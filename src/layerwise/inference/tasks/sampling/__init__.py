"""Rows that are drawn: by the chains of an RBM or a stack, by a decoder, by a generator."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
