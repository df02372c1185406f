"""What a run reports on its way to the tracking server: buffered, tried again, kept for the next command."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
