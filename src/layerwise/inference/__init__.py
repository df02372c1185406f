"""Inference with a trained model: its folder, predictions of a file's rows, their evaluation, requests over HTTP.

Nothing is trained here. Finding a model by name is in `tracking`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
