"""What every package needs and none owns: errors, files, random streams, signals, settings, the present run.

It knows nothing of data, networks, Kedro or MLflow.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
