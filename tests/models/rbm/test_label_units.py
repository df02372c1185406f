import torch
from helpers import small_rbms as m

from layerwise.models.rbm import (
    DBN,
    RBM,
    DBNConfig,
    RBMConfig,
    class_log_probabilities,
    sample_of_classes,
    with_labels,
)
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


def test_samples_of_a_class_are_those_of_its_part_of_the_joint_table():
    rbm = classifier()
    stack = DBN(DBNConfig(n_visible=3, hidden_sizes=(3,)))  # its only RBM is the top, whose place is taken
    v, y = m.states(m.bits(3)), torch.eye(3, dtype=torch.float64)
    classes = torch.arange(3).repeat_interleave(4000)
    means = sample_of_classes(stack, rbm, classes, 3, 20, m.seeded(5)).view(3, 4000, 3).mean(1)
    for label, found in zip(y, means, strict=True):
        p = (-rbm.free_energy(torch.cat([v, label.expand(8, 3)], 1))).softmax(0)
        # Standard error of 4,000 means in [0, 1]: below 0.008.
        torch.testing.assert_close(found, p @ v, rtol=0, atol=0.03)


def test_samples_of_a_class_go_down_all_lower_layers():
    rbm = classifier()
    stack = DBN(DBNConfig(n_visible=2, hidden_sizes=(3, 4))).double()
    with torch.no_grad():
        stack.rbm_layers()[0].visible_bias.copy_(torch.tensor([30.0, -30.0]))
    found = sample_of_classes(stack, rbm, torch.tensor([0, 1, 2]), 3, 2, m.seeded(5))
    torch.testing.assert_close(found, torch.tensor([[1.0, 0.0]] * 3, dtype=torch.float64))
