"""What a trained model can be asked, one task a file: encode rows, find anomalies, sample rows, and so on.

A task takes raw rows and answers in the units of raw rows. Every door (the pipeline `predict`, MLflow's pyfunc, HTTP)
asks by the same names: `task` and the settings of `TaskSettings`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
