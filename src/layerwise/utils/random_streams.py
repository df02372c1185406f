"""One seed, many independent streams of random numbers.

Every consumer asks for its stream by name, so adding a consumer never shifts the numbers of another one.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch


def derive_seed(seed: int, *names: object) -> int:
    """Derive a 63-bit seed from the run's seed and the consumer's name."""
    text = "/".join(str(name) for name in (seed, *names))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little") >> 1


def torch_rng(seed: int, *names: object, device: torch.device | str = "cpu") -> torch.Generator:
    """Return a torch random generator of its own for the named consumer."""
    # Imported here: what measures or looks models up draws from NumPy alone.
    import torch

    return torch.Generator(device=device).manual_seed(derive_seed(seed, *names))


def sampled_rows(n_rows: int, at_most: int, rng: torch.Generator) -> slice | torch.Tensor:
    """Return the numbers of rows drawn without replacement, in their order; all rows where there are no more."""
    if n_rows <= at_most:
        return slice(None)
    import torch

    return torch.randperm(n_rows, generator=rng, device=rng.device)[:at_most].sort().values


def numpy_rng(seed: int, *names: object) -> np.random.Generator:
    """Return a NumPy random generator of its own for the named consumer."""
    return np.random.default_rng(derive_seed(seed, *names))
