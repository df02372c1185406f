"""Trainings on rows of the host, whose batches go to the device, have the bits of those on rows of the device."""

import pytest
import torch
from helpers import resumable_trainings
from helpers.host_tensors import on_host
from helpers.resumable_trainings import TRAININGS, without_times

from layerwise.data import HostTensorData, TensorData
from layerwise.training import eager_steps

needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")


@pytest.mark.parametrize("name", sorted(TRAININGS))
def test_rows_of_the_host_give_the_bits_of_rows_of_the_device(name, monkeypatch):
    expected = without_times(TRAININGS[name]())
    steps = []

    def take(own, index):
        steps.append(index)
        return eager_steps.Steps.take(own, index)

    monkeypatch.setattr(eager_steps.HostSteps, "take", take)
    monkeypatch.setattr(resumable_trainings, "TensorData", host_rows)
    assert without_times(TRAININGS[name]()) == expected
    assert steps


@needs_cuda
@pytest.mark.parametrize("name", sorted(TRAININGS))
def test_rows_beside_a_gpu_give_the_bits_of_rows_on_it(name, monkeypatch):
    monkeypatch.setattr(resumable_trainings, "device", "cuda")
    expected = without_times(TRAININGS[name]())

    def beside(inputs, targets=None, weights=None):
        rows = TensorData(inputs, targets, weights).to("cpu")
        return HostTensorData(rows.inputs, rows.targets, rows.weights, torch.device("cuda"))

    monkeypatch.setattr(resumable_trainings, "TensorData", beside)
    assert without_times(TRAININGS[name]()) == expected


def host_rows(inputs, targets=None, weights=None):
    return HostTensorData(on_host(inputs), on_host(targets), on_host(weights))
