import json
import socket
import threading
from pathlib import Path
from types import SimpleNamespace

import mlflow
import numpy as np
import pytest
import uvicorn
from click.testing import CliRunner
from helpers.running_server import ask, running
from mlflow.pyfunc import scoring_server

from layerwise.cli import cli
from layerwise.inference import AddressError, create_app, load_trained_model, serve

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def folder(tmp_path_factory, tables):
    path = tmp_path_factory.mktemp("served") / "model"
    tables.saved(path, tables.table())
    return path


@pytest.fixture(scope="module")
def port(folder):
    with running(create_app(load_trained_model(folder))) as found:
        yield found


def right_bodies(tables):
    rows = tables.table().head(3).replace({np.nan: None})
    split = rows.to_dict(orient="split")
    columns, records = split["columns"], rows.to_dict(orient="records")
    forms = {
        "dataframe_split": {"columns": columns, "data": split["data"]},
        "dataframe_records": records,
        "instances": records,
        "inputs": {name: rows[name].tolist() for name in columns},
    }
    found = [(json.dumps({name: value}).encode(), "application/json") for name, value in forms.items()]
    return [*found, (rows.to_csv(index=False).encode(), "text/csv")]


def test_routes_and_responses_are_those_of_mlflows_scoring_server(folder, port, tables, tmp_path):
    mlflow.pyfunc.save_model(
        str(tmp_path / "mlflow"),
        loader_module="layerwise.inference.server",
        data_path=str(folder),
        pip_requirements=[],
    )
    with running(scoring_server.init(mlflow.pyfunc.load_model(str(tmp_path / "mlflow")))) as other:
        for path in ("ping", "health", "version"):
            assert ask(port, path) == ask(other, path)
            assert ask(port, path)[0] == 200
        for body, kind in right_bodies(tables):
            ours, theirs = ask(port, body=body, kind=kind), ask(other, body=body, kind=kind)
            assert ours[:2] == theirs[:2] == (200, "application/json")
            assert json.loads(ours[2]) == json.loads(theirs[2])
            assert len(json.loads(ours[2])["predictions"]) == 3


def test_a_wrong_body_gets_one_sentence_and_the_server_goes_on(port, tables):
    right = right_bodies(tables)[0][0]
    for body, kind in (
        (b"", "application/json"),
        (b"{", "application/json"),
        (b"[" * 1_000_000, "application/json"),
        (b'{"dataframe_split": {"columns": ["age"], "data": [["; DROP TABLE x"]]}}', "application/json"),
        (right.replace(b"rome", b"' OR 1=1").replace(b"oslo", b"<script>"), "application/json"),
        (b"a,b\n1,2,3\n", "text/csv"),
        (b"\xff\xfe\x00", "text/csv"),
        (b'a\n"', "text/csv"),
        (b"PAR1", "application/x-parquet"),
        (b"{}", "application/json; charset=latin-1"),
        (b"{}", None),
    ):
        status, shown, text = ask(port, body=body, kind=kind)
        assert 400 <= status < 500, (status, text[:300])
        assert shown == "application/json"
        assert json.loads(text)["message"]
        for inside in ("Traceback", 'File "', "site-packages", str(ROOT)):
            assert inside not in text
    assert ask(port, body=right)[0] == 200


def test_a_body_without_end_is_read_no_further_than_the_limit(port):
    sent = 0
    with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
        client.sendall(
            b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        part = b"x" * 1_000_000
        try:
            while sent < 200_000_000:
                client.sendall(b"%x\r\n%s\r\n" % (len(part), part))
                sent += len(part)
                client.settimeout(0.001)
                try:
                    response = client.recv(1000)
                    break
                except TimeoutError:
                    client.settimeout(30)
        except OSError:  # the server hung up, and what it said may be lost
            response = b"413"
    assert b"413" in response
    assert sent < 60_000_000


def test_another_path_or_method_is_answered_with_what_there_is(port):
    status, kind, text = ask(port, "predict", body=b"{}")
    assert (status, kind) == (404, "application/json")
    assert "POST a table to /invocations" in json.loads(text)["message"]
    assert ask(port, "invocations")[0] == 405


def test_a_port_that_is_taken_is_said_in_one_sentence(folder, port):
    with pytest.raises(AddressError, match=f"cannot listen on 127.0.0.1:{port} .*give another"):
        serve(load_trained_model(folder), "a model", port=port)


def test_the_command_says_where_it_serves_a_folder_and_ends_with_it(folder, monkeypatch):
    responses, run = [], uvicorn.Server.run

    def run_until_asked(server, sockets):
        thread = threading.Thread(target=run, args=(server, sockets), daemon=True)
        thread.start()
        responses.append(ask(sockets[0].getsockname()[1], "ping"))
        server.should_exit = True
        thread.join(30)

    monkeypatch.setattr(uvicorn.Server, "run", run_until_asked)
    done = CliRunner().invoke(
        cli, ["serve", str(folder), "--port", "0"], obj=SimpleNamespace(project_path=ROOT)
    )
    assert done.exit_code == 0, done.output
    assert f"{folder} at http://127.0.0.1:" in done.output
    assert responses == [(200, "application/json", "\n")]


def test_the_command_names_what_is_wrong_with_a_model(tmp_path):
    done = CliRunner().invoke(cli, ["serve", str(tmp_path)], obj=SimpleNamespace(project_path=tmp_path))
    assert done.exit_code == 1
    assert "Error:" in done.output
    assert "holds no model" in done.output
