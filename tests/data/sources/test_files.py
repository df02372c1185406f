import gzip
import subprocess
import sys

import pytest
from helpers.raw_files import BODY, NAME, files, put, sha256, wanted
from pydantic import ValidationError

from layerwise.data.sources import SourceError, SourceFile, files as source_files, locate, sha256_once


def test_a_file_already_there_wins_over_every_other_place(tmp_path, server, monkeypatch):
    monkeypatch.setenv("LAYERWISE_DATA", str(tmp_path / "other"))
    put(tmp_path / "other", BODY)
    path = put(tmp_path / "raw", BODY)
    assert locate(wanted(server.url("/a", BODY)), tmp_path / "raw") == path
    assert server.requested == []


def test_the_folder_in_the_environment_comes_before_the_addresses(tmp_path, server, monkeypatch):
    monkeypatch.setenv("LAYERWISE_DATA", str(tmp_path / "other"))
    path = put(tmp_path / "other", BODY)
    assert locate(wanted(server.url("/a", BODY)), tmp_path / "raw") == path
    assert server.requested == []
    assert not (tmp_path / "raw").exists()


def test_a_folder_in_the_environment_without_the_file_leads_to_a_download(tmp_path, server, monkeypatch):
    monkeypatch.setenv("LAYERWISE_DATA", str(tmp_path))
    path = locate(wanted(server.url("/a", BODY)), tmp_path / "raw")
    assert path.read_bytes() == BODY


def test_an_environment_variable_that_names_no_folder_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setenv("LAYERWISE_DATA", str(tmp_path / "misspelt"))
    with pytest.raises(SourceError, match=r"LAYERWISE_DATA names '.*misspelt', which is not a folder"):
        locate(wanted(), tmp_path / "raw")


@pytest.mark.parametrize("folder", ["raw", "other"])
def test_a_wrong_file_is_named_with_both_hashes_and_the_remedy_and_kept(
    tmp_path, server, monkeypatch, folder
):
    (tmp_path / "other").mkdir()
    monkeypatch.setenv("LAYERWISE_DATA", str(tmp_path / "other"))
    path = put(tmp_path / folder, BODY[:-1])
    with pytest.raises(SourceError) as caught:
        locate(wanted(server.url("/a", BODY)), tmp_path / "raw")
    for part in (str(path), sha256(BODY), sha256(BODY[:-1]), "Remove it", "put the right file in its place"):
        assert part in str(caught.value)
    assert path.read_bytes() == BODY[:-1]
    assert server.requested == []


def test_a_hash_of_the_content_takes_any_compression_and_none(tmp_path):
    source = wanted(hash_of="content")
    for number, body in enumerate([gzip.compress(BODY, 1), gzip.compress(BODY, 9), BODY]):
        path = put(tmp_path / str(number), body)
        assert locate(source, tmp_path / str(number)) == path


def test_a_broken_gz_file_that_is_already_there_is_named(tmp_path):
    put(tmp_path, gzip.compress(BODY)[:-100])
    with pytest.raises(SourceError, match=r"(?s)not the file that was asked for.*cannot be read"):
        locate(wanted(hash_of="content"), tmp_path)


def test_offline_one_message_names_the_file_its_hash_the_addresses_and_the_path(tmp_path, closed_address):
    source = wanted(closed_address, closed_address + "/too")
    with pytest.raises(SourceError) as caught:
        locate(source, tmp_path)
    for part in (NAME, sha256(BODY), *source.urls, str(tmp_path / NAME), "LAYERWISE_DATA"):
        assert part in str(caught.value)
    assert files(tmp_path) == []


def test_a_file_of_ones_own_without_addresses_is_named_as_missing(tmp_path):
    with pytest.raises(SourceError, match=r"my/table\.csv is not here"):
        locate(SourceFile(name="my/table.csv"), tmp_path)


def test_a_file_of_ones_own_needs_no_hash(tmp_path):
    path = put(tmp_path, b"anything")
    assert locate(SourceFile(name=NAME), tmp_path) == path


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


def test_a_file_is_hashed_once_while_it_stays_as_it_is(tmp_path, monkeypatch):
    path, hashed = put(tmp_path / "raw", BODY), []
    monkeypatch.setattr(source_files, "sha256_of", lambda *given: hashed.append(given) or sha256(BODY))
    for _ in range(2):
        sha256_once(path)
    assert len(hashed) == 2  # its times of change are those of a moment ago
    monkeypatch.setattr(source_files, "SETTLED_SECONDS", -1e9)
    for _ in range(3):
        locate(wanted(), tmp_path / "raw")
    assert len(hashed) == 3
    path.write_bytes(BODY[::-1])
    sha256_once(path)
    assert len(hashed) == 4
