"""Every figure: a `plot_*` function takes data and returns a Matplotlib figure, and shows or writes nothing.

The catalog saves what a node returns; texts about a run are in `evaluation.reports`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
