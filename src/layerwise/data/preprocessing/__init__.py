"""Raw rows to matrices and back: fitted on the training rows, applied to all.

What changes a batch each time it is used is in `data.transforms`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
