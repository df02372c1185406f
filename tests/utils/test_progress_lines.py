import logging
import sys

import pytest

from layerwise.utils import ProgressLines, progress_lines


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = 1000.0

        def monotonic(self):
            return self.now

    clock = Clock()
    monkeypatch.setattr(progress_lines, "time", clock)
    return clock


def test_a_line_comes_every_half_a_minute(clock, caplog):
    caplog.set_level(logging.INFO)
    lines = ProgressLines(logging.getLogger("layerwise.test"))
    for second in range(0, 95, 5):
        clock.now = 1000.0 + second
        lines.say("%d s", second)
    assert caplog.messages == ["30 s", "60 s", "90 s"]


def test_a_terminal_has_a_bar_and_gets_no_lines(clock, caplog, monkeypatch):
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    lines = ProgressLines(logging.getLogger("layerwise.test"))
    clock.now += 100
    lines.say("a line")
    assert not caplog.messages
