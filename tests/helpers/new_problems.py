"""Small tables that a new problem is proposed for."""

import numpy as np
import pandas as pd

N = 120


def kept_rows(**columns):
    """Return rows of some columns and of two numbers that decide `kept`, yes or no."""
    rng = np.random.default_rng(0)
    a, b, noise = rng.normal(size=(3, N)).round(3)
    return pd.DataFrame(columns | {"a": a, "b": b, "kept": np.where(a + b + noise > 0, "yes", "no")})
