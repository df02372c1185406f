"""New rows read from a file in chunks, and validated row by row before a trained network predicts them.

Fitting and applying a preprocessor is in `data.preprocessing`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
