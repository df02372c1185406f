"""What networks of ratings and of documents are asked: to recommend items, to name topics."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
