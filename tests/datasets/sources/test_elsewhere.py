"""Raw data in a store elsewhere is read as the same files here are."""

import gzip
import struct

import numpy as np
import pandas as pd
import pytest
from helpers.remote_files import empty_memory_store
from kedro.io import DatasetError
from PIL import Image

from layerwise.data.sources import sha256_of
from layerwise.datasets import (
    ImageFiles,
    SourceDocuments,
    SourceImages,
    SourceRatings,
    SourceTable,
    SourceTexts,
    SourceWordTable,
    entry_like_raw,
    with_origin,
)

RAW = "memory://bucket/raw"


@pytest.fixture
def store(tmp_path, monkeypatch):
    return empty_memory_store(tmp_path, monkeypatch)


@pytest.fixture
def put(store, tmp_path):
    """Put the files of a folder here, which a function writes, into the store; return the folder."""

    def put(write):
        folder = tmp_path / "here"
        folder.mkdir()
        write(folder)
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                store.pipe(f"/bucket/raw/{path.relative_to(folder)}", path.read_bytes())
        return folder

    return put


def test_a_table_elsewhere_is_the_table_here(put):
    folder = put(lambda f: (f / "rows.csv").write_text("a;b\n1;x\n2;y\n"))
    here, there = (SourceTable(path=str(path), file={"name": "rows.csv"}) for path in (folder, RAW))
    pd.testing.assert_frame_equal(there.load(), here.load())
    assert there.load().attrs["source"] == f"{RAW}/rows.csv"
    assert there.load().attrs["sha256"] == sha256_of(folder / "rows.csv")
    assert there.preview()["data"] == [["1", "x"], ["2", "y"]]
    assert there._describe() == {"path": RAW, "file": "rows.csv"}


def test_a_folder_of_parquet_files_elsewhere_is_one_table(put):
    def write(folder):
        (folder / "many").mkdir()
        for k in range(3):
            pd.DataFrame({"n": [k, 10 * k]}).to_parquet(folder / f"many/{k}.parquet")

    folder = put(write)
    here, there = (SourceTable(path=str(path), file={"name": "many"}).load() for path in (folder, RAW))
    pd.testing.assert_frame_equal(there, here)
    assert there["n"].tolist() == [0, 0, 1, 10, 2, 20]
    assert there.attrs["sha256"] == here.attrs["sha256"]


def test_pictures_elsewhere_are_the_pictures_here(put):
    def write(folder):
        for label, value in (("cat", 10), ("dog", 200)):
            (folder / "pets" / label).mkdir(parents=True)
            Image.new("L", (4, 4), value).save(folder / f"pets/{label}/1.png")

    folder = put(write)
    here, there = (ImageFiles(path=str(path), images={"name": "pets"}).load() for path in (folder, RAW))
    np.testing.assert_array_equal(there.pixels, here.pixels)
    assert there.labels.tolist() == ["cat", "dog"]
    assert (there.sha256, there.source) == (here.sha256, f"{RAW}/pets")


def test_idx_files_elsewhere_are_read(put):
    images = np.arange(32, dtype=np.uint8).reshape(2, 4, 4)

    def write(folder):
        with gzip.open(folder / "images.gz", "wb") as file:
            file.write(struct.pack(">IIII", 0x803, 2, 4, 4) + images.tobytes())
        (folder / "labels").write_bytes(struct.pack(">II", 0x801, 2) + bytes([0, 1]))

    put(write)
    names = {"training_images": "images.gz", "test_images": "images.gz"}
    names |= {"training_labels": "labels", "test_labels": "labels"}
    found = SourceImages(path=RAW, **{part: {"name": name} for part, name in names.items()}).load()
    np.testing.assert_array_equal(found.pixels, np.concatenate([images, images]))
    assert found.source == RAW


def test_ratings_and_documents_elsewhere_are_read(put):
    def write(folder):
        (folder / "ratings.csv").write_text("user,item,rating\nann,a,5\nbob,b,1\n")
        (folder / "words.txt").write_text("2\n2\n2\n1 1 3\n2 2 1\n")
        (folder / "vocabulary.txt").write_text("red\ngreen\n")
        (folder / "counts.csv").write_text("red,green\n3,0\n0,1\n")
        (folder / "lines.txt").write_text("red red\ngreen\n")
        (folder / "texts").mkdir()
        (folder / "texts/1.txt").write_text("red")

    put(write)
    ratings = SourceRatings(path=RAW, ratings={"name": "ratings.csv"}).load()
    assert (ratings.source, len(ratings.item_ids)) == (f"{RAW}/ratings.csv", 2)
    words = {"counts": {"name": "words.txt"}, "vocabulary": {"name": "vocabulary.txt"}}
    for found in (
        SourceDocuments(path=RAW, **words).load(),
        SourceWordTable(path=RAW, file={"name": "counts.csv"}).load(),
    ):
        assert found.counts.toarray().tolist() == [[3, 0], [0, 1]]
        assert found.source.startswith(RAW)
    assert SourceTexts(path=RAW, texts={"name": "lines.txt"}).load().texts == ("red red", "green")
    texts = SourceTexts(path=RAW, texts={"name": "texts"}).load()
    assert (texts.texts, texts.source) == (("red",), f"{RAW}/texts")


def test_a_file_that_is_not_elsewhere_is_said_to_be_missing_there(store):
    entry = SourceTable(path=RAW, file={"name": "rows.csv"})
    with pytest.raises(
        DatasetError, match=r"rows.csv is not here.\n  put it at  memory://bucket/raw/rows.csv"
    ):
        entry.load()


def test_a_file_elsewhere_with_other_bytes_is_refused(store):
    store.pipe("/bucket/raw/rows.csv", b"a\n1\n")
    entry = SourceTable(path=RAW, file={"name": "rows.csv", "sha256": "0" * 64})
    with pytest.raises(DatasetError, match="is not the file that was asked for"):
        entry.load()


def test_the_variable_may_name_a_folder_elsewhere(store, tmp_path, monkeypatch):
    store.pipe("/lake/raw/rows.csv", b"a\n7\n")
    monkeypatch.setenv("LAYERWISE_DATA", "memory://lake/raw")
    entry = SourceTable(path=str(tmp_path / "data/01_raw"), file={"name": "rows.csv"})
    assert entry.load()["a"].tolist() == ["7"]
    assert entry.load().attrs["source"] == "memory://lake/raw/rows.csv"
    monkeypatch.setenv("LAYERWISE_DATA", "nowhere://lake")
    with pytest.raises(DatasetError, match=r"^nowhere://lake/rows.csv cannot be read: Protocol not known"):
        entry.load()


def test_a_table_of_any_dataset_elsewhere_says_where_it_is(store):
    from kedro.io import DataCatalog

    store.pipe("/rows.csv", b"a\n7\n")
    entry = {"type": "pandas.CSVDataset", "filepath": "memory:///rows.csv"}
    frame = DataCatalog.from_config({"raw": with_origin(entry)}).load("raw")
    assert frame["a"].tolist() == [7]
    assert frame.attrs["source"] == "memory:///rows.csv"
    assert len(frame.attrs["sha256"]) == 64


def test_an_address_is_no_name_of_a_file_below_the_raw_data_folder():
    with pytest.raises(
        DatasetError, match=r"'s3://bucket/rows.csv' is an address: its folder belongs to path"
    ):
        SourceTable(path="data/01_raw", file={"name": "s3://bucket/rows.csv"})


def test_more_rows_may_be_elsewhere_than_raw_is(tmp_path):
    raw = {"type": "layerwise.datasets.SourceTable", "path": "data/01_raw", "file": {"name": "rows.csv"}}
    found = entry_like_raw({"raw": raw}, "s3://bucket/more/rows.csv", tmp_path)
    assert found == {**raw, "path": "s3://bucket/more", "file": {"name": "rows.csv"}}
