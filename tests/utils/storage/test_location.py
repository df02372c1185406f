import json
from contextlib import suppress
from types import SimpleNamespace

import fsspec
import pytest
from helpers.remote_files import empty_memory_store

from layerwise.utils import Location, MissingFileError, StorageError, address_of, mask_secrets


@pytest.fixture
def store(tmp_path, monkeypatch):
    """An empty store in memory, and a project whose copies of it are below `tmp_path`."""
    return empty_memory_store(tmp_path, monkeypatch)


def test_a_path_of_this_computer_is_used_as_it_is(tmp_path):
    file = tmp_path / "rows.csv"
    for address in (file, str(file), file.as_uri()):
        location = Location(address)
        assert not location.is_remote
        assert location.local_path() == file
        assert str(location) == str(file)
        assert not location.exists()
    file.write_text("a")
    assert location.exists()
    with location.writing() as path:
        assert path == file
    assert not (tmp_path / "data").exists()


def test_a_file_elsewhere_is_copied_once_and_again_when_it_is_another_one(store, tmp_path, monkeypatch):
    store.pipe("/bucket/raw/rows.csv", b"first")
    location = Location("memory://bucket/raw") / "rows.csv"
    fetched = []
    get_file = type(store).get_file
    monkeypatch.setattr(
        type(store), "get_file", lambda self, *given, **more: fetched.append(given) or get_file(self, *given)
    )
    assert location.local_path().read_text() == "first"
    assert location.local_path() == tmp_path / "data/remote/memory/bucket/raw/rows.csv"
    assert len(fetched) == 1
    store.pipe("/bucket/raw/rows.csv", b"second")
    assert location.local_path().read_text() == "second"
    assert len(fetched) == 2
    location.local_path().unlink()
    assert location.local_path().read_text() == "second"
    location.local_path().write_text("sec")  # as a computer that lost its power may leave it
    assert location.local_path().read_text() == "second"


def test_of_a_folder_elsewhere_changed_files_are_copied_and_those_that_are_gone_removed(store):
    for name in ("a/1.png", "a/2.png", "b/3.png"):
        store.pipe(f"/bucket/pictures/{name}", name.encode())
    location = Location("memory://bucket/pictures/")
    names = {
        str(p.relative_to(location.local_path())): p.read_text() for p in location.local_path().rglob("*.png")
    }
    assert names == {name: name for name in ("a/1.png", "a/2.png", "b/3.png")}
    store.rm("/bucket/pictures/a/2.png")
    store.pipe("/bucket/pictures/b/3.png", b"new")
    found = sorted(p.name for p in location.local_path().rglob("*.png"))
    assert found == ["1.png", "3.png"]
    assert (location.local_path() / "b/3.png").read_text() == "new"


def test_what_is_written_arrives_with_what_lies_beside_it_when_the_block_ends_well(store):
    location = Location("memory://bucket/out/rows.csv")
    with suppress(ZeroDivisionError), location.writing() as path:
        path.write_text("half")
        raise ZeroDivisionError
    assert not location.exists()
    with location.writing() as path:
        path.write_text("rows")
        path.with_name("rows.csv.json").write_text("more")
    assert store.cat("/bucket/out/rows.csv") == b"rows"
    assert store.cat("/bucket/out/rows.csv.json") == b"more"


def test_a_folder_that_is_written_anew_holds_no_file_of_the_one_before(store):
    location = Location("memory://bucket/out/frames")
    for names in (("1.png", "2.png"), ("2.png", "3.png")):
        with location.writing() as path:
            path.mkdir()
            for name in names:
                (path / name).write_text(name)
    assert sorted(store.find("/bucket/out")) == ["/bucket/out/frames/2.png", "/bucket/out/frames/3.png"]


def test_what_is_not_there_is_a_missing_file(store):
    location = Location("memory://bucket/nothing.csv")
    with pytest.raises(MissingFileError, match=r"^memory://bucket/nothing.csv is not there$"):
        location.local_path()
    assert not location.exists()


def test_no_file_of_a_folder_elsewhere_is_copied_outside_of_it(store, tmp_path):
    store.store.update({"/bucket/raw/../../escaped": fsspec.filesystem("memory").open("/x", "wb")})
    store.pipe("/bucket/raw/inside", b"1")
    Location("memory://bucket/raw").local_path()
    assert not list(tmp_path.rglob("escaped"))
    assert list(tmp_path.rglob("inside"))


def test_an_address_does_not_lead_out_of_the_folder_of_copies(store):
    store.pipe("/secrets", b"1")
    with pytest.raises(
        StorageError, match=r"^memory://bucket/../../secrets cannot be read: an address has no"
    ):
        Location("memory://bucket/../../secrets").local_path()


def test_a_missing_package_and_an_unknown_store_are_one_sentence(monkeypatch):
    monkeypatch.setattr(
        fsspec.core, "url_to_fs", lambda *_, **__: (_ for _ in ()).throw(ImportError("Install gcsfs"))
    )
    with pytest.raises(
        StorageError,
        match=r"^gs://b/x needs a package that is missing: pip install 'layerwise\[gcs\]'$",
    ):
        Location("gs://b/x").check()
    monkeypatch.undo()
    with pytest.raises(StorageError, match=r"^nowhere://b/x cannot be used: Protocol not known: nowhere$"):
        Location("nowhere://b/x").check()


def test_a_store_that_refuses_is_one_sentence_without_the_secret(store, monkeypatch):
    secret = "a-very-secret-key"

    def refuse(*_, **__):
        raise PermissionError(f"Access Denied for {secret}\nsecond line")

    monkeypatch.setattr(
        fsspec.core,
        "url_to_fs",
        lambda *_, **__: (SimpleNamespace(info=refuse, invalidate_cache=lambda: None), "x"),
    )
    location = Location("memory://bucket/x", {"key": "name", "client": {"secret": secret}})
    for asked in (location.exists, location.local_path):
        with pytest.raises(StorageError) as caught:
            asked()
        assert str(caught.value) == (
            "memory://bucket/x cannot be read: Access Denied for ***; correct the credentials, or ask for the right"
        )
    assert mask_secrets(f"{secret} of name") == "*** of name"


def test_a_copy_is_called_by_the_address_that_it_is_of(store, tmp_path):
    store.pipe("/bucket/raw/rows.csv", b"1")
    location = Location("memory://bucket/raw/rows.csv")
    assert address_of(location.local_path()) == "memory://bucket/raw/rows.csv"
    assert address_of(tmp_path / "rows.csv") == str(tmp_path / "rows.csv")


def test_a_password_in_an_address_is_neither_shown_nor_a_part_of_the_copys_path(store, tmp_path):
    location = Location("sftp://user:password@host/rows.csv")
    assert str(location) == "sftp://user:***@host/rows.csv"
    assert location.name == "rows.csv"
    assert (location / "").identity == (location.with_name("rows.csv")).identity


def test_what_was_known_of_a_copy_may_be_lost(store, tmp_path):
    store.pipe("/bucket/rows.csv", b"1")
    location = Location("memory://bucket/rows.csv")
    location.local_path()
    (index,) = (tmp_path / "data/remote/index").glob("*[!k]")
    assert list(json.loads(index.read_text())) == [""]
    index.write_text("{")
    assert location.local_path().read_text() == "1"
