"""Training of GANs: objectives, gradient penalties, conditioning, images and tables.

The networks are in `models.gan`; the metrics of their samples are in `evaluation.generative`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
