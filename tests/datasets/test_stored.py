import pytest
import torch
from kedro.io import DatasetError
from scipy.sparse import csr_matrix

from layerwise.data import SparseTensorData, TensorData
from layerwise.datasets import NetworkDataset, TensorsDataset
from layerwise.models import MLP, MLPConfig


@pytest.mark.parametrize("targets", [None, torch.arange(5), torch.rand(5, 2)])
def test_rows_come_back_bit_for_bit(tmp_path, targets):
    dataset = TensorsDataset(filepath=str(tmp_path / "a" / "rows.safetensors"))
    assert not dataset.exists()
    dataset.save(TensorData(torch.rand(5, 3).T.contiguous().T, targets))
    back = dataset.load()
    assert dataset.exists()
    assert back.inputs.shape == (5, 3)
    assert (back.targets is None) if targets is None else torch.equal(back.targets, targets)


def test_sparse_rows_come_back_sparse(tmp_path):
    counts = torch.tensor([[0, 2, 0, 1], [0, 0, 0, 0], [3, 0, 0, 0]], dtype=torch.float32)
    dataset = TensorsDataset(filepath=str(tmp_path / "rows.safetensors"))
    dataset.save(SparseTensorData(csr_matrix(counts.numpy())))
    back = dataset.load()
    assert back.matrix.nnz == 3
    assert len(back) == 3
    assert torch.equal(back[slice(0, 3)].inputs, counts)
    assert torch.equal(back.to("cpu").column_sums(), counts.sum(0, keepdim=True))


def test_a_network_comes_back_in_evaluation_mode(tmp_path):
    dataset = NetworkDataset(filepath=str(tmp_path / "network"))
    assert not dataset.exists()
    network = MLP(MLPConfig(n_inputs=3, n_outputs=2, hidden_sizes=(4,), dropout=0.5), torch.Generator())
    dataset.save(network.train())
    back = dataset.load()
    assert not back.training
    assert torch.equal(back(torch.ones(1, 3)), network.eval()(torch.ones(1, 3)))


def test_a_folder_without_a_network_is_named(tmp_path):
    with pytest.raises(DatasetError, match=r"nothing_here holds no network that can be read"):
        NetworkDataset(filepath=str(tmp_path / "nothing_here")).load()
