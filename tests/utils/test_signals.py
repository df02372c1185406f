import os
import signal
import threading
import time

import pytest

from layerwise.sweeping import launcher
from layerwise.tracking.outbox import BufferedRunLogger
from layerwise.tracking.outbox.background import SendingThread
from layerwise.utils import delay_signals


@pytest.fixture(autouse=True)
def ctrl_c_interrupts():
    """A shell's background job ignores Ctrl-C, and hands that on."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_waits_until_the_server_has_its_metrics(tmp_path):
    done = []

    class Server:
        def log_batch(self, run_id, metrics):
            signal.raise_signal(signal.SIGINT)
            done.extend(metrics)

    run_logger = BufferedRunLogger(Server(), "run", tmp_path / "kept.jsonl")
    with pytest.raises(KeyboardInterrupt):
        run_logger.log_metrics({"loss": 1.0}, 1)
    assert [metric.key for metric in done] == ["loss"]
    assert not run_logger.offline_buffer.exists()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_cuts_what_the_first_one_waits_for(how):
    reached = []

    @delay_signals()
    def work():
        signal.raise_signal(how)
        reached.append("after the first")
        signal.raise_signal(how)
        reached.append("after the second")

    before = signal.signal(how, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            work()
        assert signal.getsignal(how) is signal.default_int_handler
    finally:
        signal.signal(how, before)
    assert reached == ["after the first"]


def test_handlers_are_as_before_when_an_error_leaves():
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(ValueError, match="within"), delay_signals():
        raise ValueError("within")
    assert signal.getsignal(signal.SIGINT) is before


class Workers(launcher._Workers):
    """One worker that is at work for some seconds."""

    def __init__(self):
        self.job, self.processes, self.over = type("Job", (), {"workers": 1}), {}, threading.Event()

    def _keep(self, slot):
        self.over.wait(8)


def wait_for_workers():
    Workers().run()


def wait_for_server():
    sending = SendingThread(lambda items: time.sleep(8))
    sending.put([1])
    sending.wait()


@pytest.mark.parametrize("wait", [wait_for_workers, wait_for_server])
def test_ctrl_c_ends_a_wait_that_the_system_would_go_on_with(wait):
    # As Polars sets it for the process that imports it.
    signal.siginterrupt(signal.SIGINT, False)
    ctrl_c = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    ctrl_c.start()
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        wait()
    assert time.monotonic() - began < 5
