"""Tables that are larger than the memory: fitted on a sample of their rows, preprocessed block by block into a file."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
