import sys

import pytest

from layerwise.checkpointing import Progress
from layerwise.training.callbacks import ProgressBar


def run(bar, epochs=3):
    progress = Progress("layer 1", None, epochs, 1)
    bar.on_train_start(progress)
    for _ in range(epochs):
        progress.epoch += 1
        bar.on_epoch_start(progress)
        bar.on_epoch_end(progress, {"train/loss": 0.25 * progress.epoch})
    bar.on_train_end(progress)


def test_nothing_is_written_where_the_output_is_no_terminal(capsys):
    assert not sys.stderr.isatty()
    run(ProgressBar("layer 1 of 3", "train/loss"))
    written = capsys.readouterr()
    assert (written.out, written.err) == ("", "")


@pytest.mark.parametrize("metric", ["train/loss", "validation/error"])
def test_a_terminal_sees_the_label_the_epoch_and_the_loss(metric, monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "160")
    run(ProgressBar("layer 1 of 3", metric))
    written = capsys.readouterr()
    assert written.out == ""
    for part in ("layer 1 of 3", "epoch 3/3", metric, "0.7500"):
        assert part in written.err


def test_an_error_before_the_first_epoch_leaves_nothing_behind(monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    bar, progress = ProgressBar("layer 1", "train/loss"), Progress("layer 1", None, 3, 1)
    bar.on_train_start(progress)
    bar.on_train_end(progress)
