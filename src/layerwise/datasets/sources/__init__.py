"""Catalog entries for raw data, which is only read: tables, images, ratings, documents.

Heavy imports wait until something is loaded, for the catalog is built at every start.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
