"""What `torchrun` says in the environment of the processes that it starts; this needs no torch."""

from __future__ import annotations

import os


def in_torchrun() -> bool:
    """Return whether torchrun started this command in several processes."""
    return "TORCHELASTIC_RUN_ID" in os.environ and torchrun_size() > 1


def torchrun_size() -> int:
    """Return how many processes torchrun started, on all computers."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def torchrun_rank() -> int:
    """Return the number of this process among them."""
    return int(os.environ.get("RANK", "0"))


def local_ranks(ranks: int) -> int:
    """Return how many of so many ranks are on this computer: all, but for those that torchrun started on others."""
    return int(os.environ["LOCAL_WORLD_SIZE"]) if in_torchrun() else ranks


def restarts_over_computers() -> bool:
    """Return whether torchrun was told to start processes anew that are on several computers."""
    spread = local_ranks(torchrun_size()) < torchrun_size()
    return spread and os.environ.get("TORCHELASTIC_MAX_RESTARTS", "0") != "0"
