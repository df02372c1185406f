import torch
from helpers.seeded import seeded

from layerwise.data import TensorData
from layerwise.models.rbm import DBN, DBNConfig, sample_of_classes
from layerwise.training.rbm import RBMTrainingSettings, train_label_rbm

SETTINGS = RBMTrainingSettings(
    n_hidden=12, epochs=60, batch_size=20, chain="persistent", chains=20, centered=True,
    final_learning_rate=0.0, pseudo_likelihood_rows=0,
)  # fmt: skip


def two_classes(n, seed):
    """Rows of which the left half is on in class 0 and the right half in class 1, but for a tenth of noise."""
    classes = torch.arange(n) % 2
    clean = torch.stack([torch.tensor([1.0] * 4 + [0.0] * 4), torch.tensor([0.0] * 4 + [1.0] * 4)])[classes]
    flipped = torch.rand(n, 8, generator=seeded(seed)) < 0.1
    return TensorData(torch.where(flipped, 1 - clean, clean), classes)


def test_the_rbm_learns_to_generate_each_class_and_leaves_the_stack_as_it_was():
    stack = DBN(DBNConfig(n_visible=8, hidden_sizes=(8,)), seeded(0))
    before = {name: value.clone() for name, value in stack.state_dict().items()}
    rbm, result = train_label_rbm(stack, two_classes(200, 1), two_classes(40, 2), 2, SETTINGS, 0)
    assert len(result.history["label_rbm"]) == 60
    assert all(torch.equal(value, before[name]) for name, value in stack.state_dict().items())
    classes = torch.arange(2).repeat_interleave(100)
    found = sample_of_classes(stack, rbm, classes, 2, 50, seeded(3)).view(2, 100, 8).mean(1)
    left, right = slice(0, 4), slice(4, 8)
    assert found[0, left].min() > 0.7 > 0.3 > found[0, right].max()
    assert found[1, right].min() > 0.7 > 0.3 > found[1, left].max()
