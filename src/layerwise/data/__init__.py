"""Where rows come from, how they are read, split and become matrices, and the shapes in which networks get them.

Nothing here learns a network; what a network is stands in `models`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
