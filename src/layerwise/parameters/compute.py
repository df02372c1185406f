"""Where and how a run computes, and what is logged of the hardware."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from layerwise.utils import Compute, Config, ResumeError, set_compute, setting


class ComputeSettings(Config):
    """Where networks learn, and with how many bits a GPU takes float32 products."""

    device: str = setting(
        "auto",
        "auto, cpu, cuda, cuda:1, mps; auto: the first GPU for steps of a million products and more (parameters times "
        "rows of a batch), else the CPU",
        "cpu where a run has to give the numbers of a computer without a GPU",
        pattern=r"^(auto|cpu|cuda(:\d+)?|mps)$",
    )
    matmul_precision: Literal["highest", "high"] = setting(
        "highest",
        "high: a GPU takes float32 products with TF32's 10 bits of mantissa, several times as fast",
        "high for wide layers, after a comparison",
    )
    capture_steps: bool = setting(
        True,
        "on a GPU a training step is captured once and repeated without Python; the bits are the same",
        "false to look at single steps",
    )


class TrackingSettings(Config):
    """What MLflow keeps of the hardware while a run is under way."""

    system_metrics: bool = setting(
        False,
        "log processor, memory, disk, network and GPU as `system/...` every ten seconds, or every "
        "MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL seconds",
        "runs of minutes and more",
    )


def apply_compute_settings(settings: ComputeSettings, earlier: Mapping[str, Any] | None) -> None:
    """Check the device and have everything that is trained in this process computed there.

    A run that goes on computes where it began: `auto` stays on the CPU if there was no GPU then.

    Args:
        settings: where and how to compute.
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
