"""Where and how a run computes, and what is logged of the hardware."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Literal

from layerwise.utils import Compute, Config, ResumeError, UserError, set_compute, setting


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
        "high for wide layers: what it changes is measured in Speed",
    )
    capture_steps: bool = setting(
        True,
        "on a GPU a training step is captured once and repeated without Python; the bits are the same",
        "false to look at single steps",
    )
    ranks: int = setting(
        1,
        "processes that train one network together, each on its part of every batch; 1: this one alone",
        "1 unless batches are of a thousand rows and more and cores or GPUs stand idle, see Beyond one machine",
        ge=1,
    )
    out_of_core: bool = setting(
        False,
        "the rows of a table in Parquet stay in files: they are preprocessed block by block and learnt from where they "
        "lie, see Large tables",
        "tables that are larger than the memory; mlp, rbm, autoencoder with split.method: hash",
        "images, ratings, documents",
    )
    sample_rows: int = setting(
        1_000_000,
        "rows that are in memory with out_of_core: what needs all rows at once is found from them",
        "",
        "tables in memory",
        ge=1000,
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
        DeviceError: the device is not here, or not for so many ranks.
        ResumeError: the run began on a GPU, and there is none.
    """
    # Imported here, as it imports torch, which commands that run nothing do without.
    import torch

    from layerwise.utils import DeviceError, check_device, count_gpus
    from layerwise.utils.ranks import local_ranks

    check_device(settings.device)
    here, ranks_here = count_gpus(), local_ranks(settings.ranks)
    if settings.ranks > 1 and settings.device not in ("auto", "cpu", "cuda"):
        raise DeviceError(
            f"compute.device: {settings.device} is one device, which {settings.ranks} ranks can't have"
        )
    if settings.device == "cuda" and here < ranks_here:
        raise DeviceError(f"compute.ranks: {ranks_here} takes as many GPUs, and here are {here}")
    then = here if earlier is None else earlier.get("gpus", here)
    if settings.device == "auto" and then and not here:
        raise ResumeError(
            "the run began on a computer with a GPU, and here is none: go on there, or start a new run with "
            "resume=false"
        )
    set_compute(
        Compute(
            settings.device,
            settings.capture_steps,
            gpu=then > 0 and here >= ranks_here,
            ranks=settings.ranks,
            out_of_core=settings.out_of_core,
        )
    )
    torch.set_float32_matmul_precision(settings.matmul_precision)


def require_streamed(settings: ComputeSettings, datasets: Collection[str]) -> None:
    """Raise a UserError where rows are to stay in files and the pipelines that run would read them into memory.

    Args:
        settings: say so.
        datasets: what the nodes that run read and make.
    """
    streamed, read = (
        {name.partition(".")[0] for name in datasets if name.endswith(end)} for end in (".row_parts", ".rows")
    )
    others = read - {*streamed, "predict", "evaluate"}
    if settings.out_of_core and "raw" in datasets and (others or not streamed):
        raise UserError(
            "compute.out_of_core is for mlp, rbm and autoencoder of a table, and another pipeline runs here: set "
            "compute.out_of_core: false"
        )


def require_spread(settings: ComputeSettings, functions: Iterable[Callable[..., Any]]) -> None:
    """Raise a UserError where several ranks are asked for and none of a pipeline's functions trains in them."""
    if settings.ranks == 1:
        return
    from layerwise.utils.ranks import is_spread

    if not any(is_spread(function) for function in functions):
        raise UserError(
            f"compute.ranks: {settings.ranks} is for the training of one MLP, DBN, RBM, autoencoder or GAN of images, "
            "and nothing of that runs here: set compute.ranks: 1"
        )
