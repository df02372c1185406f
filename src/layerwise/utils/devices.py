"""Where tensors live while a network learns, and with how many bits its products are taken."""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager, nullcontext
from itertools import pairwise
from typing import Literal

import torch
from torch import nn

from layerwise.utils import run_context
from layerwise.utils.errors import UserError

log = logging.getLogger(__name__)

Precision = Literal["float32", "bfloat16"]

# A step of fewer products is over on a CPU before a GPU would repay the seconds in which it starts.
GPU_FROM_PRODUCTS = 1_000_000
# Rows may take so much of a GPU's free memory. The rest is for the network, its gradients and activations.
SHARE_OF_MEMORY = 0.5


class DeviceError(UserError, ValueError):
    """The device that was asked for is not here; the message says which are."""


def check_device(name: str) -> None:
    """Raise a DeviceError unless this computer has a device: `auto`, `cpu`, `cuda`, `cuda:1`, `mps`."""
    if name.startswith("cuda"):
        n = count_gpus()
        if int(name.partition(":")[2] or 0) >= n:
            here = f"{n} GPU(s), cuda:0 to cuda:{n - 1}" if n else "no GPU that torch can use"
            raise DeviceError(
                f"compute.device: {name} is not here: this computer has {here}; take auto or cpu"
            )
    elif name == "mps" and not torch.backends.mps.is_available():
        raise DeviceError("compute.device: mps is not here: it is Apple's GPU; take auto or cpu")


def count_gpus() -> int:
    """Return how many GPUs torch can use, without starting one: a process that has cannot be forked any more."""
    return torch.cuda.device_count()


def choose_device(network: nn.Module | int, batch_size: int, what: str, n_bytes: int = 0) -> torch.device:
    """Return where a network learns or is evaluated, log why, and report it as the run's tag `device.<what>`.

    `compute.device` decides. `auto` takes the first GPU for steps of at least a million products (parameters times
    rows of a batch), and the CPU for smaller ones and where there is no GPU. Sizes decide and never a timing, so that
    the same parameters give the same numbers.

    Args:
        network: its parameters are counted, those of a convolution, which meet many pixels, a hundredfold; or how many
            it has.
        batch_size: rows of a step.
        what: for the log and the tag.
        n_bytes: of rows that are needed there all at once; where a GPU does not hold them, it is the CPU.
    """
    asked = run_context.compute().device
    n_parameters = network if isinstance(network, int) else _count_parameters(network)
    products = n_parameters * batch_size
    if asked != "auto":
        found, reason = asked, "compute.device"
    elif not run_context.compute().gpu or not count_gpus():
        found, reason = "cpu", "there is no GPU"
    else:
        found = "cuda" if products >= GPU_FROM_PRODUCTS else "cpu"
        few = "at least" if found == "cuda" else "fewer than"
        reason = f"{n_parameters:,} parameters x {batch_size:,} rows are {few} {GPU_FROM_PRODUCTS:,} products a step"
    device = torch.device(found)
    if lack := lack_of_memory(device, n_bytes):
        found, reason, device = "cpu", lack, torch.device("cpu")
    log.info("%s on %s: %s", what, found, reason)
    card = f" ({torch.cuda.get_device_name(device)})" if device.type == "cuda" else ""
    run_context.report_tags({f"device.{what}": f"{found}{card}: {reason}"})
    return device


def lack_of_memory(device: torch.device, n_bytes: int) -> str:
    """Return that so many bytes take more than half of a device's free memory; empty where they don't."""
    free = free_bytes(device) if n_bytes else None
    if free is None or n_bytes <= SHARE_OF_MEMORY * free:
        return ""
    return f"the rows take {n_bytes / 1e9:.1f} GB, and {free / 1e9:.1f} GB of {device} are free"


def free_bytes(device: torch.device) -> int | None:
    """Return how much of a GPU's memory is free; None where that isn't known, as of a memory that the CPU shares."""
    if device.type != "cuda":
        return None
    # What torch keeps for later tensors is free to it.
    kept = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return torch.cuda.mem_get_info(device)[0] + kept


def dense_parameters(*sizes: int) -> int:
    """Return the number of weights and biases of fully connected layers of these sizes."""
    return sum((n + 1) * m for n, m in pairwise(sizes))


def _count_parameters(network: nn.Module) -> int:
    found = 0
    for module in network.modules():
        times = 100 if isinstance(module, nn.Conv2d | nn.ConvTranspose2d) else 1
        found += times * sum(p.numel() for p in module.parameters(recurse=False))
    return found


def inference_device() -> torch.device:
    """Return where a trained model predicts: the CPU unless `compute.device` names another device.

    So every way to a model's predictions gives the same bits, on computers with a GPU and without.
    """
    asked = run_context.compute().device
    return torch.device("cpu" if asked == "auto" else asked)


def captures_steps() -> bool:
    """Return whether a training step is captured once and repeated, where it can be."""
    return run_context.compute().capture_steps


def keeps_rows_in_files() -> bool:
    """Return whether the rows that are learnt from stay in files, which are best read in their order."""
    return run_context.compute().out_of_core


def matmul_autocast(precision: Precision, device: torch.device) -> AbstractContextManager[object]:
    """Return the context in which matrix products have a precision; weights and sums stay as they are."""
    if precision == "float32":
        return nullcontext()
    return torch.autocast(device.type, torch.bfloat16)
