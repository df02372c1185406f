import errno
import gzip
import io
import os
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import pytest
from helpers.raw_files import BODY, NAME, files, sha256, wanted

from layerwise.data.sources import SourceError, SourceFile, locate

FIRES = Path(__file__).parents[3] / "data/01_raw/forest_fires/forestfires_uci.csv"


def test_a_download_is_put_in_the_raw_folder_and_used_again(tmp_path, server):
    source = wanted(server.url("/a", BODY))
    path = locate(source, tmp_path)
    assert (path, path.read_bytes(), files(tmp_path)) == (tmp_path / NAME, BODY, [path])
    assert locate(source, tmp_path) == path
    assert server.requested == ["/a"]


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


def test_a_gz_file_is_downloaded_compressed_and_checked_inside(tmp_path, server):
    body = gzip.compress(BODY)
    path = locate(wanted(server.url("/a", body), hash_of="content"), tmp_path)
    assert path.read_bytes() == body


BAD_RESPONSES = {
    "not found": (None, None),
    "truncated": (BODY[:1000], len(BODY)),
    "short without saying so": (BODY[:1000], None),
    "other bytes": (BODY[::-1], None),
    "empty": (b"", None),
}


@pytest.mark.parametrize(("body", "announced"), BAD_RESPONSES.values(), ids=BAD_RESPONSES.keys())
def test_after_a_bad_address_comes_the_next(tmp_path, server, body, announced):
    path = locate(wanted(server.url("/bad", body, announced), server.url("/good", BODY)), tmp_path)
    assert path.read_bytes() == BODY
    assert files(tmp_path) == [path]
    assert server.requested == ["/bad", "/good"]


def test_after_a_dead_address_comes_the_next(tmp_path, server, closed_address):
    assert locate(wanted(closed_address, server.url("/good", BODY)), tmp_path).read_bytes() == BODY


@pytest.mark.parametrize(("body", "announced"), BAD_RESPONSES.values(), ids=BAD_RESPONSES.keys())
def test_when_the_last_address_is_bad_the_message_names_all_and_nothing_stays(
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


def test_a_full_disk_is_named_and_leaves_nothing(tmp_path, server):
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
        assert server.requested == ["/a"]
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_disk_that_fills_up_at_the_first_write_is_named_and_leaves_nothing(tmp_path, server, monkeypatch):
    class Full(io.RawIOBase):
        def writable(self):
            return True

        def write(self, _):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("pooch.downloaders.open", lambda *_: Full(), raising=False)
    with pytest.raises(SourceError, match="No space left on device"):
        locate(wanted(server.url("/a", BODY)), tmp_path)
    assert files(tmp_path) == []


def test_a_folder_that_cannot_be_made_is_named(tmp_path, server):
    (tmp_path / "digits").write_text("a file where the folder should be")
    with pytest.raises(SourceError, match=r"Cannot write images\.gz"):
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
    server.barrier = threading.Barrier(2)
    source = wanted(server.url("/a", BODY))
    code = (
        "import sys; from layerwise.data.sources.files import SourceFile, locate, sha256_of;"
        "print(sha256_of(locate(SourceFile.model_validate_json(sys.argv[1]), sys.argv[2])))"
    )
    command = [sys.executable, "-c", code, source.model_dump_json(), str(tmp_path)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert [process.communicate(timeout=120)[0].strip() for process in running] == [sha256(BODY)] * 2
    assert server.requested == ["/a", "/a"]
    assert files(tmp_path) == [tmp_path / NAME]


def archive(**members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, body in members.items():
            opened.writestr(f"{name}.csv", body)
    return buffer.getvalue()


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
