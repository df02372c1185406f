"""What carries the sums over the ranks."""

from __future__ import annotations

import os
import sys

import torch


def keep_to_the_loopback() -> None:
    """Have gloo listen on the loopback alone, in this process and in those that it starts."""
    os.environ["GLOO_SOCKET_IFNAME"] = "lo0" if sys.platform == "darwin" else "lo"


def choose_backend(rank: int, size: int) -> str:
    """Return what carries the sums over the ranks; where each rank has a GPU, the rank computes on that of its number.

    With fewer GPUs all ranks train on the CPU.

    Args:
        rank: its number among those of this computer.
        size: the ranks of this computer.
    """
    if torch.cuda.device_count() < size:
        return "gloo"
    torch.cuda.set_device(rank)
    return "cpu:gloo,cuda:nccl"
