"""What listens to the loop: early stopping, best weights, limits, progress, the learning rate on a plateau.

Callbacks that belong to one method are beside it.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
