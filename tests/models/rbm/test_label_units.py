import torch
from helpers import small_rbms as m

from layerwise.models.rbm import RBM, RBMConfig, class_log_probabilities, with_labels
from layerwise.models.rbm.units import UnitBlock

BLOCKS = (UnitBlock(kind="bernoulli", size=3), UnitBlock(kind="softmax", size=3, groups=(3,), rest=(False,)))


def classifier():
    rbm = RBM(RBMConfig(n_visible=6, n_hidden=3, visible="mixed", blocks=BLOCKS)).double()
    for value in rbm.parameters():
        value.normal_(0, 1, generator=m.seeded(2))
    return rbm


def test_class_probabilities_are_the_conditionals_of_the_joint_table():
    rbm = classifier()
    v, h, y = m.states(m.bits(3)), m.states(m.bits(3)), torch.eye(3, dtype=torch.float64)
    rows = torch.stack([torch.cat([a, b]) for a in v for b in y])
    energies = torch.stack([torch.stack([rbm.energy(r[None], s[None])[0] for s in h]) for r in rows])
    p = torch.exp(-energies).sum(1).view(8, 3)
    expected = (p / p.sum(1, keepdim=True)).log()
    torch.testing.assert_close(class_log_probabilities(rbm, v, 3), expected, rtol=1e-12, atol=1e-12)


def test_a_missing_label_leaves_its_group_empty():
    rows = with_labels(torch.ones(3, 2), torch.tensor([1, -1, 0]), 3)
    assert rows.tolist() == [[1, 1, 0, 1, 0], [1, 1, 0, 0, 0], [1, 1, 1, 0, 0]]
