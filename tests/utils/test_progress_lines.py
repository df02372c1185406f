import logging
import sys
import time

import pytest

from layerwise.utils import LongWork, ProgressLines, progress_lines


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


def test_work_that_says_nothing_is_said_to_go_on_until_it_ends(caplog, monkeypatch):
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(progress_lines, "SECONDS_BETWEEN", 0.2)
    log = logging.getLogger("layerwise.test")
    work = LongWork(log, "evaluation.fit")
    work.begin()
    for _ in range(8):  # what says something itself is left alone
        time.sleep(0.05)
        log.info("a line")
    assert set(caplog.messages) == {"a line"}
    time.sleep(0.5)
    work.end()
    said = [message for message in caplog.messages if message != "a line"]
    assert 1 <= len(said) <= 2
    assert said[0].startswith("evaluation.fit goes on, ")
    time.sleep(0.3)
    assert len([message for message in caplog.messages if message != "a line"]) == len(said)
    assert work not in logging.getLogger().handlers
