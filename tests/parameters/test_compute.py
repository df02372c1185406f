"""A run computes where its parameters say, and one that goes on where it began."""

from contextlib import nullcontext

import pytest
import torch

from layerwise.parameters import ComputeSettings, apply_compute_settings, require_spread, require_streamed
from layerwise.utils import Compute, DeviceError, ResumeError, UserError, run_context, set_compute
from layerwise.utils.ranks import in_ranks


@pytest.fixture(autouse=True)
def as_before():
    precision = torch.get_float32_matmul_precision()
    yield
    torch.set_float32_matmul_precision(precision)
    set_compute(Compute())


def pretend_gpus(monkeypatch, n):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: n)


def test_settings_reach_the_run(monkeypatch):
    pretend_gpus(monkeypatch, 0)
    apply_compute_settings(ComputeSettings(device="cpu", matmul_precision="high", capture_steps=False), None)
    assert run_context.compute() == Compute("cpu", capture_steps=False, gpu=False)
    assert torch.get_float32_matmul_precision() == "high"


@pytest.mark.parametrize("then", [0, 1])
def test_a_run_that_goes_on_keeps_whether_it_began_with_a_gpu(monkeypatch, then):
    pretend_gpus(monkeypatch, 1)
    apply_compute_settings(ComputeSettings(), {"gpus": then})
    assert run_context.compute().gpu is bool(then)


def test_a_run_that_began_on_a_gpu_does_not_go_on_without_one(monkeypatch):
    pretend_gpus(monkeypatch, 0)
    with pytest.raises(ResumeError, match="began on a computer with a GPU, and here is none"):
        apply_compute_settings(ComputeSettings(), {"gpus": 1})
    apply_compute_settings(ComputeSettings(device="cpu"), {"gpus": 1})


def test_a_device_that_is_not_here_stops_the_run(monkeypatch):
    pretend_gpus(monkeypatch, 0)
    with pytest.raises(DeviceError, match=r"compute.device: cuda is not here"):
        apply_compute_settings(ComputeSettings(device="cuda"), None)


def test_a_device_of_another_name_is_no_value():
    with pytest.raises(ValueError, match="pattern"):
        ComputeSettings(device="gpu")


@pytest.mark.parametrize(("ranks", "takes_gpus"), [(2, True), (3, False)])
def test_ranks_take_a_gpu_each_or_none(monkeypatch, ranks, takes_gpus):
    pretend_gpus(monkeypatch, 2)
    apply_compute_settings(ComputeSettings(ranks=ranks), None)
    assert run_context.compute().gpu is takes_gpus
    assert run_context.compute().ranks == ranks
    with pytest.raises(DeviceError, match=r"cuda:1 is one device, which"):
        apply_compute_settings(ComputeSettings(ranks=ranks, device="cuda:1"), None)
    if not takes_gpus:
        with pytest.raises(DeviceError, match=r"compute.ranks: 3 takes as many GPUs, and here are 2"):
            apply_compute_settings(ComputeSettings(ranks=3, device="cuda"), None)


def test_ranks_are_refused_where_nothing_trains_in_them():
    functions = [len, in_ranks(len)]
    require_spread(ComputeSettings(ranks=2), functions)
    require_spread(ComputeSettings(), functions[:1])
    with pytest.raises(UserError, match=r"nothing of that runs here: set compute.ranks: 1"):
        require_spread(ComputeSettings(ranks=2), functions[:1])


@pytest.mark.parametrize(
    ("datasets", "refused"),
    [
        (["raw", "mlp.rows", "mlp.row_parts"], False),
        (["raw", "mlp.row_parts", "mlp.preprocessor", "mlp.training"], False),
        (["mlp.training", "mlp.validation"], False),
        (["predict.model", "predict.rows"], False),
        (["raw", "dbn.rows", "dbn.split"], True),
        (["raw", "compare.folds"], True),
        (["raw", "mlp.rows", "mlp.row_parts", "dbn.rows"], True),
    ],
)
def test_rows_that_stay_in_files_are_for_pipelines_that_read_them_there(datasets, refused):
    require_streamed(ComputeSettings(), datasets)
    with pytest.raises(UserError, match="is for mlp, rbm and autoencoder") if refused else nullcontext():
        require_streamed(ComputeSettings(out_of_core=True), datasets)
