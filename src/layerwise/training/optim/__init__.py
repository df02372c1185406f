"""The steps of gradient descent: optimizers, schedules, penalties.

What is minimised is the method's own.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
