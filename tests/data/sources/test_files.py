import errno
import gzip
import hashlib
import io
import os
import subprocess
import sys
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from pydantic import ValidationError

from layerwise.data.sources.files import SourceError, SourceFile, locate

ROOT = Path(__file__).parents[3]
FIRES = ROOT / "data" / "01_raw" / "forest_fires" / "forestfires_uci.csv"
BODY = os.urandom(300_000)
NAME = "digits/pictures.gz"


def sha256(body):
    return hashlib.sha256(body).hexdigest()


class Server(ThreadingHTTPServer):
    """A server on 127.0.0.1: `bodies` by path, `announced` where the length header lies, `asked` in order."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.bodies, self.announced, self.asked = {}, {}, []
        self.meeting = None

    def url(self, path, body=None, announced=None):
        if body is not None:
            self.bodies[path] = body
        if announced is not None:
            self.announced[path] = announced
        return f"http://127.0.0.1:{self.server_port}{path}"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.path)
        body = self.server.bodies.get(self.path)
        if body is None:
            self.send_error(404)
            return
        if self.server.meeting is not None:
            self.server.meeting.wait(timeout=60)
        self.send_response(200)
        self.send_header("Content-Length", str(self.server.announced.get(self.path, len(body))))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def _no_other_folder(monkeypatch):
    monkeypatch.delenv("LAYERWISE_DATA", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def dead():
    """Return an address where nothing listens."""
    closed = Server()
    closed.server_close()
    return closed.url("/gone")


def wanted(*urls, body=BODY, **fields):
    return SourceFile(**{"name": NAME, "sha256": sha256(body), "urls": urls, **fields})


def put(folder, body):
    path = folder / NAME
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)
    return path


def files(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_a_file_already_there_wins_over_every_other_place(tmp_path, server, monkeypatch):
    monkeypatch.setenv("LAYERWISE_DATA", str(tmp_path / "other"))
    put(tmp_path / "other", BODY)
    path = put(tmp_path / "raw", BODY)
    assert locate(wanted(server.url("/a", BODY)), tmp_path / "raw") == path
    assert server.asked == []


def test_the_folder_in_the_environment_comes_before_the_addresses(tmp_path, server, monkeypatch):
    monkeypatch.setenv("LAYERWISE_DATA", str(tmp_path / "other"))
    path = put(tmp_path / "other", BODY)
    assert locate(wanted(server.url("/a", BODY)), tmp_path / "raw") == path
    assert server.asked == []
    assert not (tmp_path / "raw").exists()


def test_a_folder_in_the_environment_without_the_file_leads_to_a_download(tmp_path, server, monkeypatch):
    monkeypatch.setenv("LAYERWISE_DATA", str(tmp_path))
    path = locate(wanted(server.url("/a", BODY)), tmp_path / "raw")
    assert path.read_bytes() == BODY


def test_an_environment_variable_that_names_no_folder_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("LAYERWISE_DATA", str(tmp_path / "misspelt"))
    with pytest.raises(SourceError, match=r"LAYERWISE_DATA names '.*misspelt', which is not a folder"):
        locate(wanted(), tmp_path / "raw")


@pytest.mark.parametrize("place", ["raw", "other"])
def test_a_wrong_file_is_named_with_both_hashes_and_the_remedy_and_kept(tmp_path, server, monkeypatch, place):
    (tmp_path / "other").mkdir()
    monkeypatch.setenv("LAYERWISE_DATA", str(tmp_path / "other"))
    path = put(tmp_path / place, BODY[:-1])
    with pytest.raises(SourceError) as caught:
        locate(wanted(server.url("/a", BODY)), tmp_path / "raw")
    for part in (str(path), sha256(BODY), sha256(BODY[:-1]), "Remove it", "put the right file in its place"):
        assert part in str(caught.value)
    assert path.read_bytes() == BODY[:-1]
    assert server.asked == []


def test_a_hash_of_the_content_takes_any_compression_and_none(tmp_path):
    source = wanted(hash_of="content")
    for number, body in enumerate([gzip.compress(BODY, 1), gzip.compress(BODY, 9), BODY]):
        path = put(tmp_path / str(number), body)
        assert locate(source, tmp_path / str(number)) == path


def test_a_broken_gz_file_that_is_already_there_is_told(tmp_path):
    put(tmp_path, gzip.compress(BODY)[:-100])
    with pytest.raises(SourceError, match=r"(?s)not the file that was asked for.*cannot be read"):
        locate(wanted(hash_of="content"), tmp_path)


def test_a_download_is_put_in_the_raw_folder_and_used_again(tmp_path, server):
    source = wanted(server.url("/a", BODY))
    path = locate(source, tmp_path)
    assert (path, path.read_bytes(), files(tmp_path)) == (tmp_path / NAME, BODY, [path])
    assert locate(source, tmp_path) == path
    assert server.asked == ["/a"]


def test_a_downloaded_file_is_as_readable_as_any_other(tmp_path, server):
    (tmp_path / "mine").touch()
    path = locate(wanted(server.url("/a", BODY)), tmp_path)
    assert path.stat().st_mode == (tmp_path / "mine").stat().st_mode


def test_a_download_is_silent_where_there_is_no_terminal(tmp_path, server, capfd):
    locate(wanted(server.url("/a", BODY)), tmp_path)
    assert capfd.readouterr() == ("", "")


def test_a_download_shows_a_bar_on_a_terminal(tmp_path, server, capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    locate(wanted(server.url("/a", BODY)), tmp_path)
    assert "100%" in capsys.readouterr().err


def test_a_gz_file_is_downloaded_packed_and_checked_inside(tmp_path, server):
    body = gzip.compress(BODY)
    path = locate(wanted(server.url("/a", body), hash_of="content"), tmp_path)
    assert path.read_bytes() == body


SPOILT = {
    "not found": (None, None),
    "truncated": (BODY[:1000], len(BODY)),
    "short without saying so": (BODY[:1000], None),
    "other bytes": (BODY[::-1], None),
    "empty": (b"", None),
}


@pytest.mark.parametrize(("body", "announced"), SPOILT.values(), ids=SPOILT.keys())
def test_after_a_bad_address_comes_the_next(tmp_path, server, body, announced):
    path = locate(wanted(server.url("/bad", body, announced), server.url("/good", BODY)), tmp_path)
    assert path.read_bytes() == BODY
    assert files(tmp_path) == [path]
    assert server.asked == ["/bad", "/good"]


def test_after_a_dead_address_comes_the_next(tmp_path, server, dead):
    assert locate(wanted(dead, server.url("/good", BODY)), tmp_path).read_bytes() == BODY


@pytest.mark.parametrize(("body", "announced"), SPOILT.values(), ids=SPOILT.keys())
def test_when_the_last_address_is_bad_the_message_says_all_and_nothing_stays(
    tmp_path, server, body, announced
):
    source = wanted(server.url("/bad", body, announced))
    with pytest.raises(SourceError) as caught:
        locate(source, tmp_path)
    for part in (NAME, sha256(BODY), *source.urls, str(tmp_path / NAME), "LAYERWISE_DATA"):
        assert part in str(caught.value)
    assert files(tmp_path) == []


def test_a_broken_gz_download_is_refused(tmp_path, server):
    with pytest.raises(SourceError, match="not a readable gz file"):
        locate(wanted(server.url("/a", gzip.compress(BODY)[:-100]), hash_of="content"), tmp_path)
    assert files(tmp_path) == []


def test_offline_one_message_names_the_file_its_hash_the_addresses_and_the_place(tmp_path, dead):
    source = wanted(dead, dead + "/too")
    with pytest.raises(SourceError) as caught:
        locate(source, tmp_path)
    for part in (NAME, sha256(BODY), *source.urls, str(tmp_path / NAME), "LAYERWISE_DATA"):
        assert part in str(caught.value)
    assert files(tmp_path) == []


def test_a_file_of_ones_own_without_addresses_is_told_missing(tmp_path):
    with pytest.raises(SourceError, match=r"my/table\.csv is not here"):
        locate(SourceFile(name="my/table.csv"), tmp_path)


def test_a_file_of_ones_own_needs_no_hash(tmp_path):
    path = put(tmp_path, b"anything")
    assert locate(SourceFile(name=NAME), tmp_path) == path


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path, server):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("only root can mount a disk that is small enough to fill")
    try:
        with pytest.raises(SourceError, match=r"No space left on device.*Nothing was left there"):
            locate(wanted(server.url("/a", BODY), server.url("/b", BODY)), disk)
        assert files(disk) == []
        assert server.asked == ["/a"]
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_disk_that_fills_up_at_the_first_write_is_told_and_leaves_nothing(tmp_path, server, monkeypatch):
    class Full(io.RawIOBase):
        def writable(self):
            return True

        def write(self, _):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def open_full(number, mode):
        os.close(number)
        return Full()

    monkeypatch.setattr("layerwise.data.sources.files.os.fdopen", open_full)
    with pytest.raises(SourceError, match="No space left on device"):
        locate(wanted(server.url("/a", BODY)), tmp_path)
    assert files(tmp_path) == []


def test_a_folder_that_cannot_be_made_is_told(tmp_path, server):
    (tmp_path / "digits").write_text("a file where the folder should be")
    with pytest.raises(SourceError, match=r"Cannot write pictures\.gz"):
        locate(wanted(server.url("/a", BODY)), tmp_path)


def test_an_interrupted_download_leaves_nothing(tmp_path, server, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("layerwise.data.sources.files._move_into_place", interrupt)
    with pytest.raises(KeyboardInterrupt):
        locate(wanted(server.url("/a", BODY)), tmp_path)
    assert files(tmp_path) == []


def test_two_processes_at_once_both_get_the_whole_file(tmp_path, server):
    # The server answers only when both have asked, so that both are at work in the folder at the same time.
    server.meeting = threading.Barrier(2)
    source = wanted(server.url("/a", BODY))
    code = (
        "import sys; from layerwise.data.sources import *;"
        "print(sha256_of(locate(SourceFile.model_validate_json(sys.argv[1]), sys.argv[2])))"
    )
    command = [sys.executable, "-c", code, source.model_dump_json(), str(tmp_path)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert [process.communicate(timeout=120)[0].strip() for process in running] == [sha256(BODY)] * 2
    assert server.asked == ["/a", "/a"]
    assert files(tmp_path) == [tmp_path / NAME]


def archive(**members):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, body in members.items():
            opened.writestr(f"{name}.csv", body)
    return packed.getvalue()


def fires(*urls, **fields):
    body = FIRES.read_bytes()
    return SourceFile(name="fires.csv", sha256=sha256(body), urls=urls, member="forestfires.csv", **fields)


def test_the_forest_fires_come_out_of_a_zip_archive(tmp_path, server):
    body = archive(names=b"other", forestfires=FIRES.read_bytes())
    path = locate(fires(server.url("/z", body), archive_sha256=sha256(body)), tmp_path)
    assert path.read_bytes() == FIRES.read_bytes()
    assert files(tmp_path) == [path]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (archive(names=b"other"), "holds no forestfires.csv"),
        (archive(forestfires=b"other"), "expected sha256"),
        (b"<html>", "not a readable zip archive"),
    ],
    ids=["no member", "other member", "web page"],
)
def test_a_wrong_archive_is_refused_and_leaves_nothing(tmp_path, server, body, message):
    with pytest.raises(SourceError, match=message):
        locate(fires(server.url("/z", body)), tmp_path)
    assert files(tmp_path) == []


def test_an_archive_with_another_hash_is_refused(tmp_path, server):
    body = archive(forestfires=FIRES.read_bytes())
    with pytest.raises(SourceError, match=f"expected sha256 {sha256(b'')}, got {sha256(body)}"):
        locate(fires(server.url("/z", body), archive_sha256=sha256(b"")), tmp_path)
    assert files(tmp_path) == []


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": "../up.csv"}, "not a path below"),
        ({"name": "/etc/up.csv"}, "not a path below"),
        ({"name": "a", "sha256": "12"}, "pattern"),
        ({"name": "a", "sha256": "0" * 64, "urls": ("ftp://a",)}, "does not begin with http"),
        ({"name": "a", "urls": ("http://a",)}, "no sha256"),
        ({"name": "a", "sha265": "0" * 64}, "did you mean 'sha256'"),
        ({"name": "a", "archive_sha256": "0" * 64}, "names no member"),
    ],
)
def test_a_wrong_description_of_a_file_is_refused(fields, message):
    with pytest.raises(ValidationError, match=message):
        SourceFile(**fields)


def test_looking_for_files_does_not_load_the_download_library():
    code = (
        "import sys, layerwise.data.sources.files;"
        "sys.exit(any(name in sys.modules for name in ('pooch', 'requests', 'pandas')))"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
