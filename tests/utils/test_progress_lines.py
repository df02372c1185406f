import logging
import sys
import threading

import pytest
from helpers.killed_runs import wait_for

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


def test_work_that_says_nothing_is_said_to_go_on_every_half_a_minute(clock, caplog):
    caplog.set_level(logging.INFO)
    work = LongWork(logging.getLogger("layerwise.test"), "evaluation.fit")
    assert [work.say_if_silent(clock.now + seconds) for seconds in (0, 20, 31, 50, 62)] == [
        30,
        10,
        30,
        11,
        30,
    ]
    assert caplog.messages == [f"evaluation.fit goes on, {seconds} s so far" for seconds in (31, 62)]


def test_what_says_something_itself_is_left_alone(clock, caplog):
    caplog.set_level(logging.INFO)
    work = LongWork(logging.getLogger("layerwise.test"), "evaluation.fit")
    clock.now += 29
    work.emit(logging.makeLogRecord({"msg": "a line"}))
    assert work.say_if_silent(clock.now + 2) == 28
    assert not caplog.messages


def test_work_is_watched_from_its_begin_to_its_end(caplog, monkeypatch):
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(progress_lines, "SECONDS_BETWEEN", 0.05)
    work = LongWork(logging.getLogger("layerwise.test"), "evaluation.fit")
    work.begin()
    assert work in logging.getLogger().handlers
    wait_for(lambda: caplog.messages)
    work.end()
    assert work not in logging.getLogger().handlers
    wait_for(lambda: "long work" not in [each.name for each in threading.enumerate()])
