"""Many networks that train side by side as one stack: several seeds, or the points of a grid."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
