"""Where tensors live while a network learns, and with how many bits its products are taken."""

from contextlib import AbstractContextManager, nullcontext
from typing import Literal

import torch

from layerwise.utils import run_context

Precision = Literal["float32", "bfloat16"]


def best_device() -> torch.device:
    """Return the first GPU that can be used, or the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def captures_steps() -> bool:
    """Return whether a training step is captured once and repeated, where it can be."""
    return run_context.compute().capture_steps


def matmul_autocast(precision: Precision, device: torch.device) -> AbstractContextManager[object]:
    """Return the context in which matrix products have a precision; weights and sums stay as they are."""
    if precision == "float32":
        return nullcontext()
    return torch.autocast(device.type, torch.bfloat16)
