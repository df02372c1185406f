"""Sizes by the rows: the rule, and settings with its values where they are null."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
