"""What a server does with clients that are slow, many or long."""

import json
import socket
import threading
import time

import pytest
from helpers.running_server import ask, running

from layerwise.inference import ServerSettings, create_app, load_trained_model
from layerwise.inference.serving import handle_requests

HEAD = b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\n"


@pytest.fixture(scope="module")
def model(tmp_path_factory, tables):
    path = tmp_path_factory.mktemp("served") / "model"
    tables.saved(path, tables.table())
    return load_trained_model(path)


def connect(port):
    return socket.create_connection(("127.0.0.1", port), timeout=20)


def received(client):
    """Return what a server sends until it closes the connection."""
    parts = []
    try:
        while part := client.recv(65536):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)


def test_a_head_that_does_not_come_to_its_end_is_cut_however_its_bytes_drop(model):
    with running(create_app(model, ServerSettings(header_seconds=0.3))) as port, connect(port) as client:
        began = time.monotonic()
        stopped = threading.Event()

        def drop_bytes():
            while not stopped.wait(0.05):
                try:
                    client.sendall(b"a")
                except OSError:
                    return

        client.sendall(b"GET /ping HTTP/1.1\r\nX: ")
        dropping = threading.Thread(target=drop_bytes)
        dropping.start()
        assert received(client) == b""
        stopped.set()
        dropping.join()
        assert time.monotonic() - began < 15
        assert ask(port, "ping")[0] == 200


def test_a_connection_that_sends_nothing_more_is_cut_after_its_answer_too(model):
    with running(create_app(model, ServerSettings(header_seconds=0.3))) as port, connect(port) as client:
        client.sendall(b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n")
        assert received(client).startswith(b"HTTP/1.1 200")


def test_a_body_that_does_not_come_gets_408(model):
    app = create_app(model, ServerSettings(body_seconds=0.3))
    with running(app) as port, connect(port) as client:
        client.sendall(HEAD + b"Content-Length: 100\r\n\r\na,b")
        response = received(client)
        assert response.startswith(b"HTTP/1.1 408")
        assert b"connection: close" in response.lower()


def test_a_body_over_the_limit_is_refused_by_its_length_and_by_its_bytes(model):
    with running(create_app(model, ServerSettings(max_bytes=1000))) as port:
        for rest in (
            b"Content-Length: 1001\r\n\r\n",
            b"Transfer-Encoding: chunked\r\n\r\n7d0\r\n" + b"x" * 2000 + b"\r\n",
        ):
            with connect(port) as client:
                client.sendall(HEAD + rest)
                assert received(client).startswith(b"HTTP/1.1 413")


def test_more_connections_than_the_limit_get_503(model):
    app = create_app(model, ServerSettings(max_connections=2))
    with running(app) as port:
        with connect(port) as first, connect(port) as second:
            for client in (first, second):
                client.sendall(b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n")
                assert client.recv(1000).startswith(b"HTTP/1.1 200")
            with connect(port) as third:
                response = received(third)
        assert response.startswith(b"HTTP/1.1 503")
        assert json.loads(response.split(b"\r\n\r\n")[1])["error_code"] == "TOO_BUSY"
        deadline = time.monotonic() + 20
        while app.connections.open and time.monotonic() < deadline:
            time.sleep(0.01)
        assert ask(port, "ping")[0] == 200
        assert app.connections.refused == 1


def test_more_waiting_requests_than_the_limit_get_503(model):
    app = create_app(model, ServerSettings(max_waiting=1, body_seconds=20))
    with running(app) as port, connect(port) as slow:
        slow.sendall(HEAD + b"Content-Length: 100\r\n\r\na,b")
        deadline = time.monotonic() + 20
        while not app._waiting and time.monotonic() < deadline:
            time.sleep(0.01)
        assert ask(port, body=b"{}")[0] == 503


def test_rows_over_the_limit_are_refused(model):
    with running(create_app(model, ServerSettings(max_rows=2))) as port:
        status, _, text = ask(port, body=b'{"instances": [[1], [2], [3]]}')
        assert status == 413
        assert "send at most 2" in json.loads(text)["message"]


def test_counts_are_there_where_the_settings_say_so_and_each_request_is_a_line(model, tmp_path):
    log = tmp_path / "requests.jsonl"
    with running(create_app(model, ServerSettings(metrics=True, access_log=str(log)))) as port:
        ask(port, "ping")
        ask(port, "a/b\nc".replace("\n", "%0A"))
        ask(port, body=b"{")
        status, kind, text = ask(port, "metrics")
    assert (status, kind.split(";")[0]) == (200, "text/plain")
    lines = text.splitlines()
    assert 'layerwise_requests_total{path="/invocations",status="400"} 1' in lines
    assert 'layerwise_requests_total{path="other",status="404"} 1' in lines
    assert "layerwise_request_seconds_count 3" in lines
    said = [json.loads(line) for line in log.read_text().splitlines()]
    assert [(each["method"], each["path"], each["status"]) for each in said] == [
        ("GET", "/ping", 200),
        ("GET", "/a/b\nc", 404),
        ("POST", "/invocations", 400),
        ("GET", "/metrics", 200),
    ]
    assert said[2]["received"] == 1


def test_nothing_is_shown_that_was_not_asked_for(model):
    with running(create_app(model)) as port:
        for path in ("docs", "redoc", "openapi.json", "metrics"):
            assert ask(port, path)[0] == 404


def test_a_request_that_has_begun_is_answered_when_the_server_stops(model, monkeypatch):
    begun = threading.Event()

    def answer_slowly(*arguments):
        begun.set()
        time.sleep(0.5)
        return handle_requests(*arguments)

    monkeypatch.setattr("layerwise.inference.serving.request_queue.handle_requests", answer_slowly)
    found = []
    with running(create_app(model)) as port:
        asking = threading.Thread(target=lambda: found.append(ask(port, body=b"{")))
        asking.start()
        assert begun.wait(20)
    asking.join(20)
    assert found[0][0] == 400
    with pytest.raises(OSError, match="refused"):
        connect(port)
