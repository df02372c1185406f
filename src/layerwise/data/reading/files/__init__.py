"""Files to cells: what a file is, how its text is cut into rows and cells, and which of its rows cannot be read.

What the cells mean is no matter of this package: text stays text.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
