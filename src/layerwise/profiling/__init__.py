"""A file that nobody has seen yet, looked at: how it is read, what its columns are, what is suspicious, and the
problem that is proposed for it.

It writes the two files of an environment's folder and an HTML page; nothing is trained and nothing is asked.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
