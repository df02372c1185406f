"""Files that appear whole or not at all, here and in the stores that fsspec knows (`s3://`, `gs://`, ...)."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
