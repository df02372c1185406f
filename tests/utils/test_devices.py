"""Which device a network learns on: by what is asked for, by sizes, and as it was where a run goes on."""

import logging

import pytest
import torch
from torch import nn

from layerwise.utils import (
    Compute,
    DeviceError,
    check_device,
    choose_device,
    dense_parameters,
    devices,
    inference_device,
    set_compute,
)
from layerwise.utils.run_context import add_listener, remove_listener


class Tags:
    """Keep the tags that a run would get."""

    def __init__(self):
        self.found = {}

    def log_metrics(self, metrics, step):
        pass

    def log_tags(self, tags):
        self.found |= tags


@pytest.fixture
def tags():
    listener = Tags()
    set_compute(Compute())  # an earlier run of this process may have left its own
    add_listener(listener)
    yield listener.found
    remove_listener(listener)
    set_compute(Compute())


def pretend_gpus(monkeypatch, n):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: n)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "a card")


def test_auto_takes_a_gpu_from_a_million_products_a_step(monkeypatch, tags):
    pretend_gpus(monkeypatch, 1)
    network = nn.Linear(99, 100)  # 10,000 parameters
    assert choose_device(network, 99, "small").type == "cpu"
    assert choose_device(network, 100, "large").type == "cuda"
    assert tags["device.small"] == "cpu: 10,000 parameters x 99 rows are fewer than 1,000,000 products a step"
    assert (
        tags["device.large"]
        == "cuda (a card): 10,000 parameters x 100 rows are at least 1,000,000 products a step"
    )


@pytest.mark.parametrize(("free", "found"), [(4e9, "cuda"), (3e9, "cpu"), (None, "cuda")])
def test_what_needs_all_rows_at_once_is_on_the_cpu_where_a_gpu_does_not_hold_them(
    free, found, monkeypatch, tags
):
    pretend_gpus(monkeypatch, 1)
    monkeypatch.setattr(devices, "free_bytes", lambda device: free)
    assert choose_device(10**4, 100, "likelihood", 2 * 10**9).type == found
    said = "cpu: the rows take 2.0 GB, and 3.0 GB of cuda are free"
    assert (tags["device.likelihood"] == said) is (found == "cpu")


def test_a_convolution_counts_a_hundredfold_since_its_weights_meet_many_pixels(monkeypatch, tags):
    pretend_gpus(monkeypatch, 1)
    network = nn.Sequential(nn.Conv2d(1, 10, 3), nn.Linear(1, 1))  # 100 and 2 parameters
    assert choose_device(network, 99, "few").type == "cpu"
    assert choose_device(network, 100, "more").type == "cuda"


def test_without_a_gpu_auto_takes_the_cpu(monkeypatch, tags):
    pretend_gpus(monkeypatch, 0)
    assert choose_device(10**6, 1000, "network").type == "cpu"
    assert tags["device.network"] == "cpu: there is no GPU"


def test_a_run_that_began_without_a_gpu_stays_on_the_cpu(monkeypatch, tags):
    pretend_gpus(monkeypatch, 1)
    set_compute(Compute(gpu=False))
    assert choose_device(10**6, 1000, "network").type == "cpu"


def test_a_device_that_is_asked_for_is_taken_whatever_the_size(monkeypatch, tags, caplog):
    pretend_gpus(monkeypatch, 2)
    set_compute(Compute(device="cuda:1"))
    with caplog.at_level(logging.INFO):
        assert choose_device(1, 1, "tiny") == torch.device("cuda:1")
    assert "tiny on cuda:1: compute.device" in caplog.text
    set_compute(Compute(device="cpu"))
    assert choose_device(10**9, 1000, "huge").type == "cpu"


def test_predictions_come_from_the_cpu_unless_a_device_is_named(monkeypatch, tags):
    pretend_gpus(monkeypatch, 1)
    assert inference_device() == torch.device("cpu")
    set_compute(Compute(device="cuda"))
    assert inference_device() == torch.device("cuda")


@pytest.mark.parametrize(
    ("name", "gpus", "said"),
    [
        ("cuda", 0, "cuda is not here: this computer has no GPU that torch can use"),
        ("cuda:2", 2, r"cuda:2 is not here: this computer has 2 GPU\(s\), cuda:0 to cuda:1"),
        ("mps", 0, "mps is not here: it is Apple's GPU"),
    ],
)
def test_a_device_that_is_not_here_is_refused_with_what_is(monkeypatch, name, gpus, said):
    pretend_gpus(monkeypatch, gpus)
    with pytest.raises(DeviceError, match=said):
        check_device(name)


def test_devices_that_are_here_are_accepted(monkeypatch):
    pretend_gpus(monkeypatch, 2)
    for name in ("auto", "cpu", "cuda", "cuda:1"):
        check_device(name)


def test_dense_layers_have_weights_and_biases():
    network = nn.Sequential(nn.Linear(3, 5), nn.Linear(5, 2))
    assert dense_parameters(3, 5, 2) == sum(p.numel() for p in network.parameters())
