"""Two ranks on this machine, in processes that are forked from the test's: at once there, and gone with it."""

import pickle

import torch
import torch.distributed as dist
from helpers.killed_runs import end_of, start

from layerwise.utils.ranks import joined


def in_two_ranks(work, folder):
    """Return what each of two gloo ranks returns for `work()`, by the rank."""

    def as_rank(rank):
        torch.set_num_threads(1)  # a forked process has none of its parent's
        store = dist.FileStore(str(folder / "store"), 2)
        dist.init_process_group("gloo", store=store, rank=rank, world_size=2)
        with joined(rank, 2):
            found = work()
        (folder / f"found_{rank}").write_bytes(pickle.dumps(found))
        dist.barrier()

    processes = [start(lambda rank=rank: as_rank(rank)) for rank in (0, 1)]
    assert [end_of(process) for process in processes] == [0, 0]
    return [pickle.loads((folder / f"found_{rank}").read_bytes()) for rank in (0, 1)]
