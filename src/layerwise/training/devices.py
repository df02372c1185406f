"""Where tensors live while a network learns."""

import torch


def best_device() -> torch.device:
    """Return the first GPU that can be used, or the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
