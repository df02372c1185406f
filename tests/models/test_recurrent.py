import pytest
import torch
from torch import nn

from layerwise.models import Recurrent, RecurrentConfig


def network(cell, memory=60):
    shape = RecurrentConfig(cell=cell, n_symbols=6, hidden_size=8, n_outputs=4, memory=memory)
    return Recurrent(shape, torch.Generator().manual_seed(0))


@pytest.mark.parametrize(("cell", "kind"), [("rnn", nn.RNN), ("lstm", nn.LSTM), ("gru", nn.GRU)])
def test_the_answer_is_read_from_the_last_state_of_the_named_cell(cell, kind):
    ours, symbols = network(cell), torch.randint(0, 6, (5, 7))
    peer = kind(6, 8, batch_first=True)
    peer.load_state_dict(ours.layer.state_dict())
    states, _ = peer(torch.eye(6)[symbols])
    torch.testing.assert_close(ours(symbols), ours.output(states[:, -1]))


def test_a_plain_cell_is_tanh_of_input_and_last_state():
    ours, symbols = network("rnn"), torch.tensor([[2, 5]])
    w, u = ours.layer.weight_ih_l0, ours.layer.weight_hh_l0
    b = ours.layer.bias_ih_l0 + ours.layer.bias_hh_l0
    h = torch.tanh(w[:, 2] + b)
    h = torch.tanh(w[:, 5] + u @ h + b)
    torch.testing.assert_close(ours(symbols)[0], ours.output(h))


def test_the_gates_start_open_for_up_to_the_given_memory():
    lstm, gru = network("lstm").layer, network("gru").layer
    for layer in (lstm, gru):
        kept = (layer.bias_ih_l0 + layer.bias_hh_l0).detach()[8:16].exp()
        assert 1 <= float(kept.min()) < float(kept.max()) <= 59
    torch.testing.assert_close(lstm.bias_ih_l0[:8], -lstm.bias_ih_l0[8:16])
