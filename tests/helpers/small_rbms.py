"""Small RBMs of every kind of units, with their states and energies written out for enumeration."""

from itertools import product

import torch
from helpers.seeded import seeded

from layerwise.models.rbm import RBM, RBMConfig
from layerwise.models.rbm.units import UnitBlock

BLOCKS = (
    UnitBlock(kind="bernoulli", size=2),
    UnitBlock(kind="softmax", size=4, groups=(2, 2), rest=(True, False)),
)
REAL_BLOCKS = (
    UnitBlock(kind="gaussian", size=2),
    UnitBlock(kind="softmax", size=2, groups=(2,), rest=(True,)),
    UnitBlock(kind="bernoulli", size=1),
)
DISCRETE = {
    "bernoulli": {"n_visible": 4, "n_hidden": 3},
    "softmax": {"n_visible": 6, "n_hidden": 3, "visible": "softmax", "groups": (3, 3)},
    "uneven softmax": {"n_visible": 5, "n_hidden": 2, "visible": "softmax", "groups": (2, 3)},
    "mixed": {"n_visible": 6, "n_hidden": 2, "visible": "mixed", "blocks": BLOCKS},
    "categorical hidden": {"n_visible": 3, "n_hidden": 6, "hidden": "categorical", "hidden_group_size": 3},
    "counts": {"n_visible": 3, "n_hidden": 2, "visible": "counts"},
}
REAL = {
    "gaussian": {"n_visible": 2, "n_hidden": 3, "visible": "gaussian"},
    "gaussian with variances": {"n_visible": 2, "n_hidden": 3, "visible": "gaussian", "learn_variance": True},
    "mixed with reals": {
        "n_visible": 5,
        "n_hidden": 3,
        "visible": "mixed",
        "blocks": REAL_BLOCKS,
        "learn_variance": True,
    },
}
EVERY = DISCRETE | REAL
WORDS = 3  # of each document among the counts


def make_rbm(name, seed=0, scale=0.8):
    rbm = RBM(RBMConfig(**EVERY[name])).double()
    rng = seeded(seed)
    for value in rbm.parameters():
        value.normal_(0, scale, generator=rng)
    return rbm


def sites(rbm, visible=True):
    """The states of each site: a bit, or a group with or without a state that no unit stands for."""
    c = rbm.config
    if not visible:
        return (
            one_hot(c.hidden_group_size) * (c.n_hidden // c.hidden_group_size)
            if c.hidden == "categorical"
            else bits(c.n_hidden)
        )
    if c.visible == "softmax":
        return [group for size in c.groups for group in one_hot(size)]
    if c.visible == "mixed":
        found = []
        for block in c.blocks:
            if block.kind == "bernoulli":
                found += bits(block.size)
            else:
                for size, rest in zip(block.groups, block.rest, strict=True):
                    found += one_hot(size, rest)
        return found
    return bits(c.n_visible)


def bits(n):
    return [[(0.0,), (1.0,)]] * n


def one_hot(size, rest=False):
    states = [tuple(float(k == j) for j in range(size)) for k in range(size)]
    return [states + [(0.0,) * size] * rest]


def states(site_list):
    rows = [[value for part in row for value in part] for row in product(*site_list)]
    return torch.tensor(rows, dtype=torch.float64)


def hidden_states(rbm):
    return states(sites(rbm, visible=False))


def visible_states(rbm):
    """Every visible state, and how many ordered documents each stands for (1 but for counts)."""
    if rbm.config.visible != "counts":
        rows = states(sites(rbm))
        return rows, torch.ones(len(rows), dtype=torch.float64)
    k = rbm.config.n_visible
    documents = torch.tensor(list(product(range(k), repeat=WORDS)))
    counts = torch.nn.functional.one_hot(documents, k).sum(1)
    rows, times = counts.unique(dim=0, return_counts=True)
    return rows.double(), times.double()


def variances(rbm):
    """sigma^2 of every visible unit, ones but for Gaussian units."""
    sigma2 = torch.ones(rbm.config.n_visible, dtype=torch.float64)
    for units, columns in rbm.learned_variances():
        sigma2[columns] = units.log_variance.exp()
    return sigma2


def gaussian_columns(rbm):
    if rbm.config.visible == "gaussian":
        return list(range(rbm.config.n_visible))
    found, start = [], 0
    for block in rbm.config.blocks:
        found += range(start, start + block.size) if block.kind == "gaussian" else []
        start += block.size
    return found


def energy(rbm, v, h):
    """E(v, h) by sums over units, as the papers print it."""
    real, sigma2 = gaussian_columns(rbm), variances(rbm)
    words = sum(v) if rbm.config.visible == "counts" else 1
    total = -words * sum(rbm.hidden_bias[j] * h[j] for j in range(len(h)))
    for i in range(len(v)):
        if i in real:
            total = total + (v[i] - rbm.visible_bias[i]) ** 2 / (2 * sigma2[i])
        else:
            total = total - rbm.visible_bias[i] * v[i]
        total = total - sum(v[i] / sigma2[i] * rbm.weight[i, j] * h[j] for j in range(len(h)))
    return total


def energies(rbm, rows):
    """E of every row with every hidden state, shape (rows, hidden states)."""
    return torch.stack([torch.stack([energy(rbm, v, h) for h in hidden_states(rbm)]) for v in rows])


def joint(rbm):
    """p(v, h) of an RBM with discrete units, and its visible states."""
    rows, times = visible_states(rbm)
    log_p = times.log()[:, None] - energies(rbm, rows)
    return rows, (log_p - log_p.logsumexp((0, 1))).exp()
