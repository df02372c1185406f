"""Texts about a finished run: the model card, evaluation and GAN reports, an HTML demo of a generator.

Numbers come from the other packages of `evaluation`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
