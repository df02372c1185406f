import pytest
import torch
from helpers.small_rbms import bits, seeded, states

from layerwise.data import TensorData
from layerwise.evaluation.likelihood import LikelihoodSettings, log_partition
from layerwise.models.rbm import DBM, DBMConfig
from layerwise.training import TrainingError
from layerwise.training.rbm import PretrainingSettings
from layerwise.training.rbm.dbm import DBMTrainingSettings, pretrain_dbm, train_jointly

N, BOTTOM, TOP = 6, 4, 3


def some_rows(n=200):
    """Rows of two patterns, of which each bit is turned in one of twenty."""
    patterns = torch.tensor([[1, 1, 1, 0, 0, 0], [0, 1, 0, 1, 0, 1]], dtype=torch.float32)
    chosen = patterns[torch.arange(n) % 2]
    return (chosen - (torch.rand(n, N, generator=seeded(5)) < 0.05).float()).abs()


def mean_log_p(dbm, rows):
    """The rows' mean log p(v): a sum over the top layer's states, less the exact log Z."""
    settings = LikelihoodSettings(method="exact")
    log_z = log_partition(dbm.joint, rows, settings, seeded()).low
    tops = states(bits(TOP)).float()
    terms = [-dbm.joint.free_energy(torch.cat([rows, top.expand(len(rows), -1)], 1)) for top in tops]
    return float(torch.stack(terms).logsumexp(0).mean()) - log_z, log_z


def trained():
    rows = TensorData(some_rows())
    dbm = DBM(DBMConfig(n_visible=N, hidden_sizes=(BOTTOM, TOP)))
    found = pretrain_dbm(dbm, rows, rows, PretrainingSettings(epochs=10, batch_size=20), 0, silent=True)
    return dbm, rows, found


def test_pretraining_and_joint_training_each_raise_log_p():
    dbm, rows, found = trained()
    p = rows.inputs.mean(0)
    independent = float(torch.distributions.Bernoulli(p).log_prob(rows.inputs).sum(1).mean())
    pretrained, _ = mean_log_p(dbm, rows.inputs)
    settings = DBMTrainingSettings(epochs=60, learning_rate=0.1, weight_decay=0)
    history, seconds = train_jointly(dbm, rows, rows, settings, 20, 0, silent=True)
    joint, log_z = mean_log_p(dbm, rows.inputs)
    assert pretrained > independent + 0.3
    assert joint > pretrained + 0.1
    assert float(dbm.bound(rows.inputs, log_z).mean()) <= joint
    assert set(found.history) == {"layer_1", "layer_2"}
    assert len(history) == 60
    assert seconds > 0


def test_the_same_seed_gives_the_same_bits():
    first, second = trained()[0], trained()[0]
    for name, value in first.state_dict().items():
        assert torch.equal(value, second.state_dict()[name])


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"chain": "persistent"}, "pretraining.chain: persistent"),
        ({"dropout": 0.5}, "pretraining.dropout: 0.5"),
        ({"up_down": {"epochs": 2}}, "pretraining.up_down"),
        ({"method": "none"}, "pretraining.method: none"),
        ({"visible": "gaussian"}, "pretraining.visible: gaussian"),
    ],
)
def test_what_a_dbm_has_no_use_for_is_refused(settings, said):
    dbm = DBM(DBMConfig(n_visible=N, hidden_sizes=(BOTTOM, TOP)))
    with pytest.raises(TrainingError, match=said):
        pretrain_dbm(dbm, TensorData(some_rows()), None, PretrainingSettings(**settings), 0)


def test_rows_that_are_no_probabilities_are_refused():
    dbm = DBM(DBMConfig(n_visible=N, hidden_sizes=(BOTTOM, TOP)))
    with pytest.raises(TrainingError, match="between 0 and 1"):
        pretrain_dbm(dbm, TensorData(2 * some_rows()), None, PretrainingSettings(), 0)


@pytest.mark.parametrize(("restart_every", "unlearns"), [(0, False), (2, True)])
def test_chains_that_start_anew_find_a_mode_that_neither_rows_nor_chains_reach(restart_every, unlearns):
    # Two layers that hold each other on: from rows no chain gets there, and nearly all of Z is there.
    dbm, rows = DBM(DBMConfig(n_visible=N, hidden_sizes=(4, 40))), TensorData(some_rows())
    weight, biases = dbm.joint.weight, dbm.joint.visible_bias
    weight[N:], biases[N:] = 2.0, -3.0
    dbm.joint.hidden_bias.fill_(-20.0)
    assert fraction_of_top_units_on(dbm) > 0.8
    settings = DBMTrainingSettings(epochs=20, restart_every=restart_every, weight_decay=0)
    train_jointly(dbm, rows, None, settings, 20, 0, silent=True)
    assert fraction_of_top_units_on(dbm) < 0.2 if unlearns else fraction_of_top_units_on(dbm) > 0.8


def fraction_of_top_units_on(dbm):
    """The exact mean of the top layer's units."""
    joint, hidden = dbm.joint, states(bits(4)).float()
    pre_activation = joint.visible_pre_activation(hidden)
    log_p = hidden @ joint.hidden_bias + torch.nn.functional.softplus(pre_activation).sum(1)
    return float(log_p.softmax(0) @ pre_activation[:, N:].sigmoid().mean(1))
