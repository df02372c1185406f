"""Where and how a run computes."""

from __future__ import annotations

from typing import Literal

from layerwise.utils import Config, setting


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
