"""Autoencoders, one file an idea: feed-forward, convolutional, variational, stacked, recurrent, of ratings.

How they learn is in `training.autoencoder`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
