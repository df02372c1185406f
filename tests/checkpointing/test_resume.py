"""Training that was cut off and goes on is the training that was not: the same bits in weights and metrics."""

from typing import Any

import pytest
import torch
from helpers import resumable_trainings
from helpers.recorded_steps import record_on_cpu
from helpers.resumable_trainings import TRAININGS, dbn

from layerwise.checkpointing import CheckpointSettings, CheckpointStore, store as checkpoints
from layerwise.training.diagnostics import LayerStatistics
from layerwise.utils import collected_reports, set_checkpoint_store

OFTEN = CheckpointSettings(epochs=1, minutes=None)


class CrashError(BaseException):
    """The process is gone."""


@pytest.fixture(autouse=True)
def no_checkpoints_are_left_on():
    # Whether the bytes are on the disk is another test's question, and a busy disk takes its time.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.fsync", lambda number: None)
        yield
    set_checkpoint_store(None)


def assert_same(found: Any, expected: Any, place: str = "") -> None:
    """Equal bit for bit, but for the seconds that things took."""
    if isinstance(expected, torch.Tensor):
        assert torch.equal(found, expected), place
    elif isinstance(expected, dict):
        assert found.keys() == expected.keys(), place
        for key, value in expected.items():
            if key != "seconds":
                assert_same(found[key], value, f"{place}/{key}")
    elif isinstance(expected, (list, tuple)):
        assert len(found) == len(expected), place
        for k, (one, other) in enumerate(zip(found, expected, strict=True)):
            assert_same(one, other, f"{place}/{k}")
    else:
        assert found == expected or (found != found and expected != expected), place


def crash_after(monkeypatch, n):
    """Let the process die right after the n-th checkpoint from here on was written."""
    write, written = checkpoints._write, []

    def dying(*args):
        write(*args)
        written.append(args[0])
        if len(written) == n:
            raise CrashError

    monkeypatch.setattr(checkpoints, "_write", dying)
    return written


@pytest.mark.parametrize("name", TRAININGS)
def test_a_training_cut_off_anywhere_ends_as_if_it_never_was(name, tmp_path, monkeypatch):
    cut_off_anywhere(TRAININGS[name], tmp_path, monkeypatch)


@pytest.mark.parametrize(
    "name",
    ["rbm persistent, centered, sparse", "mlp by adam, cosine, dropout", "autoencoder, variational", "gan"],
)
def test_a_training_of_recorded_steps_does_so_too(name, tmp_path, monkeypatch):
    with pytest.MonkeyPatch.context() as patch:
        recorder = record_on_cpu(patch)
        cut_off_anywhere(TRAININGS[name], tmp_path, monkeypatch)
        assert recorder.replays > 0


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("name", TRAININGS)
def test_a_training_of_captured_steps_does_so_too(name, tmp_path, monkeypatch):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(resumable_trainings, "device", "cuda")
        patch.setattr(LayerStatistics, "reads_gradients", False)
        cut_off_anywhere(TRAININGS[name], tmp_path, monkeypatch)


def cut_off_anywhere(training, tmp_path, monkeypatch):
    def train():
        # What a fold of a cross-validation reports is collected, and has to come back too.
        with collected_reports() as reports:
            found = training()
        kept = {
            (name, step): value
            for values, step in reports
            for name, value in values.items()
            if not name.endswith("seconds")
        }
        return {"found": found, "reports": kept}

    expected = train()
    set_checkpoint_store(CheckpointStore(tmp_path / "whole", OFTEN))
    written = crash_after(monkeypatch, 0)
    assert_same(train(), expected)
    total = len(written)
    assert total >= 3
    for n in range(1, total + 1):
        monkeypatch.undo()
        crash_after(monkeypatch, n)
        set_checkpoint_store(CheckpointStore(tmp_path / str(n), OFTEN))
        with pytest.raises(CrashError):
            train()
        monkeypatch.undo()
        again = crash_after(monkeypatch, 0)
        set_checkpoint_store(CheckpointStore(tmp_path / str(n), OFTEN, resume=True))
        assert_same(train(), expected, f"cut off after checkpoint {n}")
        # No epoch that was written down is learnt again.
        reconstruction_history = len({path.parent for path in written})
        assert total - n <= len(again) <= total - n + reconstruction_history


def test_a_training_cut_off_at_every_epoch_ends_as_if_it_never_was(tmp_path, monkeypatch):
    expected = dbn()
    for _ in range(50):
        crash_after(monkeypatch, 1)
        set_checkpoint_store(CheckpointStore(tmp_path, OFTEN, resume=True))
        try:
            found = dbn()
        except CrashError:
            continue
        finally:
            monkeypatch.undo()
        assert_same(found, expected)
        return
    pytest.fail("it never came to its end")


def test_a_run_that_does_not_go_on_reads_no_checkpoint(tmp_path, monkeypatch):
    set_checkpoint_store(CheckpointStore(tmp_path, OFTEN))
    first = dbn()
    written = crash_after(monkeypatch, 0)
    set_checkpoint_store(CheckpointStore(tmp_path, OFTEN))
    assert_same(dbn(), first)
    assert len(written) == 11
