"""The parameters in `conf/`: one pydantic model for each top-level key, and the rules across keys.

Settings of how something learns stand beside it in `training`; this package gathers them.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
