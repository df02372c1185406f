"""What the ranks of a launched training do: functions that processes of their own can import."""

import os
import signal
from pathlib import Path

from helpers.resumable_trainings import mlp_of

from layerwise.models import MLP, MLPConfig
from layerwise.training import TrainingError, eager_steps
from layerwise.training.callbacks import Callback
from layerwise.utils import ranks, torch_rng
from layerwise.utils.ranks import in_ranks


class Killer(Callback):
    """Kills rank 1 in an epoch of the first attempt; rank 0 writes down which epochs it begins in which attempt."""

    def __init__(self, epoch, file):
        self.epoch, self.file = epoch, file

    def on_epoch_start(self, progress):
        attempt = int(os.environ["TORCHELASTIC_RESTART_COUNT"])
        if ranks.rank() == 0:
            with self.file.open("a") as file:
                file.write(f"{attempt} {progress.epoch}\n")
        elif progress.epoch == self.epoch and attempt == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def listening_addresses(pid):
    """Return the addresses at which a process listens."""
    inodes = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        try:
            inodes.add(os.readlink(link))
        except OSError:  # closed meanwhile
            continue
    found = []
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in inodes:
                found.append(fields[1].split(":")[0])
    return found


def train(kill_in_epoch=None, file=None):
    """Train a small network, of which rank 1 dies once."""
    eager_steps.LEAST_ROWS = 1
    callbacks = [] if kill_in_epoch is None else [Killer(kill_in_epoch, file)]
    network = MLP(
        MLPConfig(n_inputs=16, n_outputs=3, hidden_sizes=(8, 7), dropout=0.3), torch_rng(3, "network")
    )
    found = mlp_of(network, dynamic_binarization=True, callbacks=callbacks, dropout=0.3)
    return found | {"listening": {pid: listening_addresses(pid) for pid in (os.getpid(), os.getppid())}}


@in_ranks
def train_in_ranks(kill_in_epoch, file):
    """Train as `train` does, in ranks."""
    return train(kill_in_epoch, file)


@in_ranks
def fail_in_ranks():
    """Raise what a user has to read."""
    raise TrainingError(f"{ranks.world_size()} ranks cannot do this")
