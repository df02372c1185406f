import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from layerwise.data import TensorData


def test_rows_on_a_gpu_are_indexed_by_an_order_from_the_cpu():
    # Fake tensors have a device without a card, and refuse what a card would.
    with FakeTensorMode():
        rows = TensorData(torch.empty(6, 3, device="cuda"), torch.empty(6, 1, device="cuda"))
        batch = rows[torch.tensor([4, 1])]
        assert batch.inputs.shape == (2, 3)
        assert batch.inputs.device.type == batch.targets.device.type == "cuda"


def test_rows_are_indexed_by_numbers_masks_and_slices():
    rows = TensorData(torch.arange(4.0)[:, None], torch.arange(4))
    for index in (torch.tensor([1, 2]), torch.tensor([False, True, True, False]), slice(1, 3)):
        assert rows[index].inputs[:, 0].tolist() == rows[index].targets.tolist() == [1, 2]
