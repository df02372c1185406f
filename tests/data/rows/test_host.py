import logging

import pytest
import torch
from helpers.host_tensors import HostTensor, on_host

from layerwise.data import HostTensorData, TensorData, rows_for_training
from layerwise.data.rows import host
from layerwise.utils import devices

# Where tensors have a shape alone: a device that this computer has.
CPU, ELSEWHERE = torch.device("cpu"), torch.device("meta")


def of_numbers(n=6):
    return HostTensorData(torch.arange(float(n))[:, None], torch.arange(n), torch.ones(n))


def numbers(rows):
    return rows.inputs[:, 0].tolist()


def test_what_an_index_takes_is_on_the_device_and_a_subset_on_the_host():
    rows = HostTensorData(on_host(torch.rand(6, 3)), on_host(torch.arange(6)))
    batch, some = rows[torch.tensor([4, 1])], rows.subset(torch.tensor([4, 1]))
    assert not isinstance(batch, HostTensorData)
    assert type(batch.inputs) is type(batch.targets) is torch.Tensor
    assert isinstance(some, HostTensorData)
    assert isinstance(some.inputs, HostTensor)
    assert batch.targets.tolist() == some.targets.tolist() == [4, 1]
    with pytest.raises(RuntimeError, match="on the host"):
        rows.inputs @ torch.rand(3, 2)


def test_a_batch_goes_to_another_device():
    rows = HostTensorData(torch.rand(6, 3), torch.rand(6), goes_to=ELSEWHERE)
    assert (rows.device, rows.inputs.device) == (ELSEWHERE, CPU)
    batch = rows[torch.tensor([4, 1])]
    assert batch.inputs.device == batch.targets.device == ELSEWHERE


def test_batches_are_copied_ahead_in_their_order():
    rows, taken = of_numbers(), []
    indices = torch.tensor([5, 0, 3, 1, 4, 2]).split(1)

    def asked():
        for index in indices:
            taken.append(int(index))
            yield index

    for k, (index, batch) in enumerate(rows.copied_ahead(asked())):
        assert numbers(batch) == index.tolist() == indices[k].tolist()
        assert (batch.targets.tolist(), batch.weights.tolist()) == (index.tolist(), [1])
        assert len(taken) == min(6, k + 1 + host.BATCHES_AHEAD)


def test_an_index_that_is_wrong_is_said_where_its_batch_is_taken():
    found = of_numbers().copied_ahead(iter([torch.tensor([0]), torch.tensor([9])]))
    assert numbers(next(found)[1]) == [0]
    with pytest.raises(IndexError):
        next(found)


def test_inputs_become_activations_block_by_block(monkeypatch):
    monkeypatch.setattr(host, "AT_A_TIME", 4)
    blocks = []
    found = of_numbers(10).map_inputs(lambda part: (blocks.append(len(part)), 2 * part)[1])
    assert blocks == [4, 4, 2]
    assert numbers(found) == [2 * k for k in range(10)]
    assert found.targets.tolist() == list(range(10))


@pytest.mark.parametrize(("free", "stays"), [(1000, False), (959, True), (None, False)])
def test_rows_stay_on_the_host_where_they_take_more_than_half_of_the_free_memory(
    free, stays, monkeypatch, caplog
):
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(devices, "free_bytes", lambda device: free)
    rows = TensorData(torch.empty(20, 5), torch.empty(20, dtype=torch.int32))  # 480 bytes
    found = rows_for_training(rows, ELSEWHERE)
    assert isinstance(found, HostTensorData) is stays
    assert (found.device, found.inputs.device) == (ELSEWHERE, CPU if stays else ELSEWHERE)
    assert ("they stay on the host" in caplog.text) is stays


def test_rows_for_the_cpu_are_as_they_were():
    rows = TensorData(torch.rand(4, 2))
    assert rows_for_training(rows, torch.device("cpu")).inputs is rows.inputs
