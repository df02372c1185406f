"""A tracking server that goes away: for a while, for good, and with a full disk on top."""

import errno
import json
import logging
from pathlib import Path

import pytest
from mlflow.exceptions import MlflowException

from layerwise.tracking.outbox import BufferedRunLogger, buffered_logger, records_file, retries, send_outbox


class Server:
    """A tracking server that can be switched off."""

    def __init__(self):
        self.on, self.full, self.n_calls = True, False, 0
        self.metrics, self.tags, self.files, self.status = [], {}, [], []
        self.params = {}

    def _respond(self):
        self.n_calls += 1
        if not self.on:
            raise ConnectionError("gone")

    def get_run(self, run_id):
        self._respond()

    def log_batch(self, run_id, metrics=(), tags=(), params=()):
        self._respond()
        self.params |= {param.key: param.value for param in params}
        self.metrics += [(m.key, m.step, m.value) for m in metrics]
        self.tags |= {tag.key: tag.value for tag in tags}

    def log_artifact(self, run_id, path, folder):
        self._respond()
        if self.full:
            raise OSError(errno.ENOSPC, "No space left on device")
        self.files.append((Path(path).name, Path(path).read_bytes(), folder))

    def set_terminated(self, run_id, status, end_time=None):
        self._respond()
        self.status.append(status)


@pytest.fixture
def clock(monkeypatch):
    """The time in seconds, to be set."""
    now = [1000.0]
    monkeypatch.setattr(buffered_logger.time, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def server():
    return Server()


@pytest.fixture
def run_logger(server, tmp_path, clock):
    return BufferedRunLogger(server, "run", records_file(tmp_path / "outbox", "run"), "http://server")


def report(run_logger, clock, *epochs):
    for epoch in epochs:
        clock[0] += 3
        run_logger.log_metrics({"train/loss": 1 / epoch}, epoch)


def expected(*epochs):
    return [("train/loss", epoch, 1 / epoch) for epoch in epochs]


def test_a_server_that_is_away_for_a_minute_gets_everything_in_the_end(
    run_logger, server, clock, tmp_path, caplog
):
    report(run_logger, clock, 1, 2)
    server.on = False
    report(run_logger, clock, *range(3, 23))
    image_path = tmp_path / "curve.png"
    image_path.write_bytes(b"image")
    run_logger.log_file(str(image_path), "figures")
    run_logger.log_tags({"data.rows": "9"})
    run_logger.log_params({f"name_{k}": "value" for k in range(150)})
    assert server.metrics == expected(1, 2)
    assert run_logger.offline_buffer.exists()
    server.on = True
    report(run_logger, clock, 23, 24, 25)
    run_logger.close("FINISHED")
    assert server.metrics == expected(*range(1, 26))
    assert server.files == [("curve.png", b"image", "figures")]
    assert (server.tags, server.status) == ({"data.rows": "9"}, ["FINISHED"])
    assert len(server.params) == 150
    assert not run_logger.offline_buffer.exists()
    assert caplog.text.count("tracking server is gone") == 1
    assert caplog.text.count("tracking server is back, and has what was kept for it: 2") == 1


def test_a_server_that_is_away_is_not_tried_at_every_metric(run_logger, server, clock):
    server.on = False
    report(run_logger, clock, *range(1, 101))
    # 300 seconds of training, one try in 5 seconds at most.
    assert 10 < server.n_calls <= 61


def test_a_server_that_is_slow_to_fail_costs_a_tenth_of_the_time(run_logger, server, clock):
    server.on = False
    respond = server._respond

    def slowly():
        clock[0] += 10
        respond()

    server._respond = slowly
    began = clock[0]
    report(run_logger, clock, *range(1, 201))
    assert server.n_calls * 10 <= 0.11 * (clock[0] - began) + 10


def test_what_a_server_that_never_came_back_missed_is_sent_by_the_next_run(
    run_logger, server, clock, tmp_path, caplog
):
    caplog.set_level(logging.INFO)
    report(run_logger, clock, 1)
    server.on = False
    report(run_logger, clock, 2, 3)
    kept, replaced = tmp_path / "kept.png", tmp_path / "replaced.png"
    for path in (kept, replaced):
        path.write_bytes(b"image")
        run_logger.log_file(str(path), "figures")
    run_logger.close("FINISHED")
    assert "still away" in caplog.text
    assert str(run_logger.offline_buffer) in caplog.text
    replaced.write_bytes(b"an image of another run")
    # Another server is none of its business.
    server.on = True
    send_outbox(server, "sqlite:///other.db", tmp_path / "outbox")
    assert server.metrics == expected(1)
    send_outbox(server, "http://server", tmp_path / "outbox")
    assert server.metrics == expected(1, 2, 3)
    assert server.status == ["FINISHED"]
    assert server.files == [("kept.png", b"image", "figures"), ("replaced.png", b"image", "figures")]
    assert not list((tmp_path / "outbox").iterdir())


def test_a_line_that_a_dying_process_left_half_written_is_skipped(run_logger, server, clock, tmp_path):
    server.on = False
    report(run_logger, clock, 1, 2)
    with run_logger.offline_buffer.open("a") as file:
        file.write('{"key": "train/lo')
    server.on = True
    run_logger.release()  # as the end of its process does
    send_outbox(server, "http://server", tmp_path / "outbox")
    assert server.metrics == expected(1, 2)


def test_with_a_full_disk_too_training_goes_on_and_nothing_is_lost(
    run_logger, server, clock, tmp_path, caplog
):
    server.on = False
    run_logger.offline_buffer.mkdir(parents=True)  # a file that cannot be opened
    report(run_logger, clock, 1, 2, 3)
    assert caplog.text.count("cannot be written either") == 1
    run_logger.offline_buffer.rmdir()
    report(run_logger, clock, 4)
    lines = [json.loads(line) for line in run_logger.offline_buffer.read_text().splitlines()]
    assert [line["step"] for line in lines[1:]] == [1, 2, 3, 4]
    server.on = True
    report(run_logger, clock, 5, 6, 7)
    run_logger.close("FAILED")
    assert sorted(server.metrics) == sorted(expected(*range(1, 8)))


def test_metrics_that_the_run_has_already_are_not_sent_twice(server, tmp_path, clock):
    run_logger = BufferedRunLogger(
        server, "run", tmp_path / "kept", already_logged={("train/loss", 1), ("train/loss", 2)}
    )
    report(run_logger, clock, 1, 2, 3)
    run_logger.flush()
    assert server.metrics == expected(3)


def test_what_cannot_be_buffered_is_tried_as_soon_as_the_server_is_back(run_logger, server, clock, tmp_path):
    model = tmp_path / "model"
    model.write_bytes(b"weights")
    server.on = False
    report(run_logger, clock, 1)
    assert not run_logger.attempt(lambda: server.log_artifact("run", model, "model"))
    server.on = True
    assert run_logger.attempt(lambda: server.log_artifact("run", model, "model"))
    assert server.files == [("model", b"weights", "model")]
    assert server.metrics == expected(1)


def test_an_error_while_the_server_responds_is_a_defect_and_is_raised(run_logger, server, clock):
    def broken():
        raise ValueError("a defect")

    with pytest.raises(ValueError, match="a defect"):
        run_logger.attempt(broken)
    assert not run_logger.connection_dropped


def test_files_whose_store_is_full_are_kept_while_metrics_and_the_status_arrive(
    run_logger, server, clock, tmp_path, caplog
):
    server.full = True
    image = tmp_path / "curve.png"
    for content in (b"first", b"second"):
        image.write_bytes(content)
        run_logger.log_file(str(image), "figures")
    report(run_logger, clock, 1, 2)
    run_logger.close("FINISHED")
    assert (server.metrics, server.status, server.files) == (expected(1, 2), ["FINISHED"], [])
    assert caplog.text.count("its disk is full: make room") >= 1
    assert "gone" not in caplog.text
    server.full = False
    image.unlink()
    send_outbox(server, "http://server", tmp_path / "outbox")
    assert server.files == [("curve.png", b"first", "figures"), ("curve.png", b"second", "figures")]
    assert server.status == ["FINISHED"]


def test_two_processes_of_a_run_keep_their_files_of_one_name_apart(run_logger, server, tmp_path):
    other = BufferedRunLogger(server, "run", run_logger.offline_buffer, "http://server")
    server.full = True
    image = tmp_path / "curve.png"
    for own, content in ((run_logger, b"of one"), (other, b"of the other")):
        image.write_bytes(content)
        own.log_file(str(image), "figures")
        own.release()
    server.full = False
    send_outbox(server, "http://server", tmp_path / "outbox")
    assert [content for _, content, _ in server.files] == [b"of one", b"of the other"]


def test_what_a_run_keeps_is_left_alone_while_it_is_under_way(run_logger, server, clock, tmp_path):
    server.on = False
    report(run_logger, clock, 1)
    server.on = True
    send_outbox(server, "http://server", tmp_path / "outbox")
    assert (server.metrics, run_logger.offline_buffer.exists()) == ([], True)
    run_logger.close("FINISHED")
    assert server.metrics == expected(1)


def test_a_store_that_cannot_serve_for_a_moment_is_asked_again(run_logger, server, monkeypatch):
    answers, waited = [MlflowException("error code 503"), MlflowException("error code 429")], []
    monkeypatch.setattr(retries.time, "sleep", waited.append)

    def call():
        if answers:
            raise answers.pop()

    assert run_logger.attempt(call)
    assert waited == [1.0, 3.0]
    assert not run_logger.connection_dropped
