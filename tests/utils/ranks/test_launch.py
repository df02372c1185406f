"""A launched training gives what one of the same ranks gives, whatever dies, and leaves its process as it was."""

import signal

import pytest
import torch
from helpers.launched_work import fail_in_ranks, train, train_in_ranks
from helpers.rank_pairs import in_two_ranks

from layerwise.checkpointing import CheckpointSettings, CheckpointStore
from layerwise.training import TrainingError
from layerwise.utils import Compute, run_context, set_checkpoint_store, set_compute

pytestmark = pytest.mark.slow
LOOPBACK = "0100007F"


class Recorder:
    def __init__(self):
        self.metrics, self.tags = [], {}

    def log_metrics(self, metrics, step):
        self.metrics += [(name, step, value) for name, value in metrics.items()]

    def log_tags(self, tags):
        self.tags |= tags


@pytest.fixture
def two_ranks():
    set_compute(Compute(ranks=2))
    recorder = Recorder()
    run_context.add_listener(recorder)
    yield recorder
    run_context.remove_listener(recorder)
    set_checkpoint_store(None)
    set_compute(Compute())


def test_a_killed_rank_costs_no_bit_and_nothing_listens_beyond_the_loopback(two_ranks, tmp_path):
    set_checkpoint_store(
        CheckpointStore(tmp_path / "checkpoints", CheckpointSettings(epochs=1, minutes=None))
    )
    handler = signal.getsignal(signal.SIGTERM)
    found = train_in_ranks(4, tmp_path / "begun")
    begun = [line.split() for line in (tmp_path / "begun").read_text().splitlines()]
    again = [int(epoch) for attempt, epoch in begun if attempt == "1"]
    # The checkpoint of the second epoch is whole before rank 1 can end its third one.
    assert again in ([3, 4, 5, 6], [4, 5, 6])
    assert signal.getsignal(signal.SIGTERM) is handler
    set_checkpoint_store(None)
    unbroken = in_two_ranks(train, tmp_path)[0]
    assert found["weights"].keys() == unbroken["weights"].keys()
    for name, value in unbroken["weights"].items():
        assert torch.equal(found["weights"][name], value)
    reported = [(name, step) for name, step, _ in two_ranks.metrics]
    assert len(reported) == len(set(reported))
    losses = [value for name, _, value in two_ranks.metrics if name == "train/loss"]
    assert losses == [epoch["train/loss"] for epoch in unbroken["history"]["network"]]
    listening = [address for each in found["listening"].values() for address in each]
    assert listening
    assert set(listening) == {LOOPBACK}


def test_what_a_user_has_to_read_is_raised_as_it_was(two_ranks):
    with pytest.raises(TrainingError, match=r"^2 ranks cannot do this$"):
        fail_in_ranks()
