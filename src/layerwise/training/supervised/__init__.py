"""How networks learn from labels: losses, back-propagation, fine-tuning, many networks at once.

The networks are in `models.mlp` and `models.stack`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
