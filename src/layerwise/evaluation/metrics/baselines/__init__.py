"""What a network has to beat: the best constant prediction, and other models on the same rows."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
