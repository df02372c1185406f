import itertools
import logging
import re
import sys

import pytest

from layerwise.checkpointing import Progress
from layerwise.training.callbacks import ProgressBar, progress_bar
from layerwise.utils import progress_lines

METRICS = {"train/loss": 0.5, "validation/error": 0.125}


def run(bar, metrics=METRICS, epochs=3, done=3, start=0):
    """Train for `done` epochs of `epochs` in all; the metrics of each are the last one's times its number."""
    progress = Progress("layer 1", None, epochs, 1)
    progress.epoch = start
    bar.on_train_start(progress)
    while progress.epoch < done:
        progress.epoch += 1
        bar.on_epoch_start(progress)
        bar.on_epoch_end(progress, {name: value * progress.epoch for name, value in metrics.items()})
    bar.on_train_end(progress)


@pytest.fixture
def left_on_terminal(monkeypatch, capsys):
    """Return a function that trains with a bar, and returns the line that a terminal of 160 columns is left with."""

    def train(label, metric, *args, **kwargs):
        monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
        monkeypatch.setenv("COLUMNS", "160")
        monkeypatch.setenv("TERM", "xterm")
        run(ProgressBar(label, metric), *args, **kwargs)
        written = capsys.readouterr()
        assert written.out == ""  # where the results of a command go
        lines = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", written.err).replace("\r", "\n").split("\n")
        return [line for line in lines if line.strip()][-1]

    return train


def test_nothing_is_drawn_where_the_output_is_no_terminal(capsys):
    assert not sys.stderr.isatty()
    run(ProgressBar("layer 1 of 3", "train/loss"))
    written = capsys.readouterr()
    assert (written.out, written.err) == ("", "")


@pytest.mark.parametrize(
    ("metric", "shown"),
    [("train/loss", "train/loss 1.5000"), ("validation/error", "validation/error 0.3750")],
)
def test_a_terminal_is_left_with_the_label_the_epochs_and_the_last_epochs_metric(
    metric, shown, left_on_terminal
):
    line = left_on_terminal("layer 1 of 3", metric)
    assert re.search(rf"^layer 1 of 3 .* epoch 3/3 {shown} \d:\d\d:\d\d \d:\d\d:\d\d\s*$", line), line


def test_the_training_loss_stands_under_its_own_name_where_an_epoch_has_no_such_metric(left_on_terminal):
    line = left_on_terminal("no validation rows", "validation/error", {"train/loss": 0.5})
    assert "train/loss 1.5000" in line
    assert "validation/error" not in line


def test_training_that_stops_early_leaves_the_epoch_that_it_came_to(left_on_terminal):
    line = left_on_terminal("layer 1", "train/loss", epochs=9, done=2)
    assert "epoch 2/9 train/loss 1.0000" in line


def test_training_that_goes_on_starts_at_its_epoch(left_on_terminal):
    assert "epoch 4/9" in left_on_terminal("layer 1", "train/loss", epochs=9, start=4, done=4)


def test_an_error_before_the_first_epoch_ends_the_bar_and_shows_no_metric(left_on_terminal):
    line = left_on_terminal("layer 1", "train/loss", done=0)
    assert re.search(r"^layer 1 .* epoch 0/3 +\d:\d\d:\d\d", line), line
    assert "train/loss" not in line


def test_without_a_terminal_a_line_every_half_a_minute_says_how_far_it_is(monkeypatch, caplog):
    class Clock:
        now = 0.0

        def monotonic(self):
            return self.now

    clock, seconds = Clock(), itertools.count(12, 12)
    monkeypatch.setattr(progress_lines, "time", clock)
    monkeypatch.setattr(progress_bar, "time", clock)
    caplog.set_level(logging.INFO)
    bar = ProgressBar("layer 1 of 3", "validation/error")
    progress = Progress("layer 1", None, 20, 1)
    bar.on_train_start(progress)
    for _ in range(6):
        progress.epoch += 1
        clock.now = next(seconds)
        bar.on_epoch_end(progress, {"validation/error": 0.5})
    assert caplog.messages == [
        "layer 1 of 3: epoch 3 of 20, validation/error 0.5000, about 204 s left",
        "layer 1 of 3: epoch 6 of 20, validation/error 0.5000, about 168 s left",
    ]


def test_an_epoch_longer_than_half_a_minute_has_a_line_too(monkeypatch, caplog):
    class Clock:
        now = 0.0

        def monotonic(self):
            return self.now

    clock = Clock()
    monkeypatch.setattr(progress_lines, "time", clock)
    monkeypatch.setattr(progress_bar, "time", clock)
    caplog.set_level(logging.INFO)
    bar = ProgressBar("network", "train/loss")
    progress = Progress("network", None, 9, 100)
    bar.on_train_start(progress)
    progress.epoch, progress.batch = 1, 40
    clock.now = 40.0
    bar.on_batch_end(progress)
    assert caplog.messages == ["network: epoch 1 of 9, batch 40 of 100"]
