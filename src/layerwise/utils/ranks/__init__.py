"""Training spread over several processes, the ranks: what a step needs of the others, and how they are launched."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
