"""Processes that an outer torchrun starts; tests/cli/test_torchrun.py has it start them."""

import pytest
import torch.distributed as dist

from layerwise.utils.ranks import interrupted_run, outer


@pytest.fixture
def store(monkeypatch):
    """What stands in for the store that outlives the processes."""
    found = dist.HashStore()
    monkeypatch.setattr(outer, "_launchers_store", lambda: found)
    return found


def test_ranks_that_start_anew_go_on_with_the_run_that_has_a_folder(store, tmp_path):
    assert interrupted_run() == ""
    store.set(outer.RUN, str(tmp_path / "some_run"))
    # It failed before its first checkpoint, and has none.
    assert interrupted_run() == ""
    (tmp_path / "some_run").mkdir()
    assert interrupted_run() == "some_run"
