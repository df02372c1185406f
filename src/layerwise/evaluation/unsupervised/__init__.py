"""Metrics of models without labels: reconstruction, compression, anomalies, imputation, ratings, topics.

Log-probabilities are in `evaluation.likelihood`, samples in `evaluation.generative`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
