"""A network as a page to try it on: one HTML file that holds its weights and runs in the browser, without a server."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
