"""Where raw rows come from: files found or downloaded, images, ratings, documents.

Nothing is fitted here; that is `data.preprocessing`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
