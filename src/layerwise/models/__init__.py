"""What a network is: pure torch modules, each beside its frozen configuration.

How they learn is in `training`. Weights are kept as safetensors, shapes as JSON (`models.io`).
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
