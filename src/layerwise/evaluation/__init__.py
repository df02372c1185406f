"""What is reported of a network: metrics, likelihoods, generated samples, plots, reports, drift.

Nothing here learns from test rows; networks learn in `training`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
