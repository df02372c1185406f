"""A run's state on disk: what training needs to go on, where it lies, and who may write there.

It knows nothing of networks: whatever has a state to keep offers it. What goes to MLflow is in `tracking`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
