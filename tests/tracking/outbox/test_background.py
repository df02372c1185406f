"""What is sent beside training: nothing waits for the server but what has to."""

import os
import threading

import pytest

from layerwise.tracking.outbox import BufferedRunLogger
from layerwise.tracking.outbox.background import SendingThread, upload_all, upload_folder


class SlowServer:
    """A server whose answers wait until they are let go."""

    tracking_uri = "http://server"

    def __init__(self):
        self.answers, self.calls, self.at_work, self.most_at_once = threading.Event(), [], 0, 0
        self.lock, self.together, self.asked = threading.Lock(), None, threading.Event()

    def _answer(self, what):
        with self.lock:
            self.at_work += 1
            self.most_at_once = max(self.most_at_once, self.at_work)
        self.asked.set()
        assert self.answers.wait(20)
        if self.together is not None:
            self.together.wait(20)
        with self.lock:
            self.at_work -= 1
            self.calls.append(what)

    def log_batch(self, run_id, metrics=(), tags=(), params=()):
        self._answer(
            ([(m.key, m.step) for m in metrics], {t.key: t.value for t in tags}, [p.key for p in params])
        )

    def log_artifact(self, owner, path, folder=None):
        self._answer((owner, os.path.basename(path), folder))

    log_model_artifact = log_artifact

    def set_terminated(self, run_id, status, end_time=None):
        self._answer(status)


@pytest.fixture
def server():
    return SlowServer()


@pytest.fixture
def run_logger(server, tmp_path):
    return BufferedRunLogger(server, "run", tmp_path / "kept.jsonl", in_background=True)


def test_training_waits_for_no_answer_and_what_came_meanwhile_goes_in_one_call(run_logger, server):
    run_logger.log_params({"a": "1"})
    assert server.asked.wait(20)
    for step in range(5):
        run_logger.log_metrics({"loss": 1.0}, step)
        run_logger.send_pending()
    run_logger.log_tags({"x": "1"})
    run_logger.log_tags({"x": "2", "y": "3"})
    assert server.calls == []
    server.answers.set()
    run_logger.flush()
    assert server.calls[0] == ([], {}, ["a"])
    assert server.calls[1:] == [([("loss", step) for step in range(5)], {"x": "2", "y": "3"}, [])]


def test_a_checkpoint_waits_until_the_server_has_what_was_reported(run_logger, server):
    done = threading.Event()

    def save_checkpoint():
        run_logger.log_metrics({"loss": 1.0}, 1)
        run_logger.flush()
        done.set()

    thread = threading.Thread(target=save_checkpoint)
    thread.start()
    assert not done.wait(0.05)
    server.answers.set()
    thread.join(20)
    assert done.is_set()
    assert server.calls == [([("loss", 1)], {}, [])]


def test_the_status_comes_after_all_else(run_logger, server, tmp_path):
    (tmp_path / "a.png").write_text("a")
    run_logger.log_file(str(tmp_path / "a.png"), "figures")
    run_logger.log_metrics({"loss": 1.0}, 1)
    server.answers.set()
    run_logger.close("FINISHED")
    assert server.calls[-1] == "FINISHED"
    assert sorted(map(str, server.calls[:-1])) == sorted(
        map(str, [("run", "a.png", "figures"), ([("loss", 1)], {}, [])])
    )


def test_what_a_server_does_not_take_is_kept_in_order(run_logger, server, tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise ConnectionError("gone")

    monkeypatch.setattr(server, "log_batch", refuse)
    monkeypatch.setattr(server, "get_run", refuse, raising=False)
    run_logger.log_tags({"x": "1"})
    run_logger.log_metrics({"loss": 1.0}, 1)
    run_logger.flush()
    assert run_logger.connection_dropped
    lines = (tmp_path / "kept.jsonl").read_text().splitlines()
    assert ["tags" in line for line in lines[1:]] == [True, False]


def test_files_far_away_are_stored_several_at_once_each_in_its_folder(server, tmp_path):
    for name in ("a", "in/b", "in/deep/c"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    server.answers.set()
    server.together = threading.Barrier(3)  # none is answered before all three have come
    upload_folder(server, "model", "m", tmp_path, "data")
    assert sorted(server.calls) == [("m", "a", "data"), ("m", "b", "data/in"), ("m", "c", "data/in/deep")]


def test_an_upload_that_fails_names_all_that_are_not_stored():
    class Near:
        tracking_uri = "sqlite:///x.db"

    done = []

    def fail():
        raise OSError("full")

    errors = upload_all(Near(), [lambda: done.append(1), fail, lambda: done.append(3)])
    assert done == [1]
    assert [error is None for error in errors] == [True, False, False]


def test_a_defect_in_the_thread_is_raised_where_it_is_waited_for():
    def deliver(items):
        raise KeyError(items[0])

    thread = SendingThread(deliver)
    thread.put(["a"])
    with pytest.raises(KeyError, match="a"):
        thread.wait()
    thread.wait()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_a_forked_process_sends_by_itself(tmp_path):
    sent = []
    thread = SendingThread(sent.extend)
    thread.put([1])
    thread.wait()
    pid = os.fork()
    if pid == 0:
        thread.put([2])
        thread.wait()
        os._exit(0 if sent == [1, 2] else 1)
    assert os.waitpid(pid, 0)[1] == 0
