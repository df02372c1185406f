"""Says for a run where and how it computes, before any node."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from layerwise.utils import Compute, ResumeError, set_compute

if TYPE_CHECKING:
    from layerwise.parameters import ComputeSettings


def apply_compute_settings(settings: ComputeSettings, earlier: Mapping[str, Any] | None) -> None:
    """Check the device and have everything that is trained in this process computed there.

    A run that goes on computes where it began: `auto` stays on the CPU if there was no GPU then.

    Args:
        settings: the parameters `compute`.
        earlier: the record of the run that goes on; None for a new run.

    Raises:
        DeviceError: the device is not here.
        ResumeError: the run began on a GPU, and there is none.
    """
    # Imported here, as it imports torch, which commands that run nothing do without.
    import torch

    from layerwise.utils import check_device, count_gpus

    check_device(settings.device)
    here = count_gpus()
    then = here if earlier is None else earlier.get("gpus", here)
    if settings.device == "auto" and then and not here:
        raise ResumeError(
            "the run began on a computer with a GPU, and here is none: go on there, or start a new run with "
            "resume=false"
        )
    set_compute(Compute(settings.device, settings.capture_steps, gpu=then > 0))
    torch.set_float32_matmul_precision(settings.matmul_precision)
