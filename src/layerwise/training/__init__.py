"""How a network learns: the loop, what it can train (`plan`), and a package for each method.

Everything that learns runs through `fit`. What is reported of it is in `evaluation`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
