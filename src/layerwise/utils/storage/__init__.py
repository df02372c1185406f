"""What is kept: files, which appear whole or not at all, here and in the stores that fsspec knows (`s3://`, ...).

Fitted models of scikit-learn are kept as bytes that run nothing when they are read.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
