import gzip
import struct

import numpy as np
import pandas as pd
import pytest

from layerwise.data import DataError
from layerwise.data.reading import ChunkedReader, FileFormat


def write(path, text):
    path.write_text(text)
    return path


def test_a_table_comes_in_chunks_with_its_lines_unchanged(tmp_path):
    file = write(tmp_path / "rows.csv", 'a,b\n1,"x, y"\n2,"two\nlines"\n\n3,z\n')
    chunks = list(ChunkedReader(file, 2).chunks())
    assert [chunk.start for chunk in chunks] == [0, 2]
    assert [line for chunk in chunks for line in chunk.lines] == ['1,"x, y"', '2,"two\nlines"', "3,z"]
    assert [line for chunk in chunks for line in chunk.line_numbers] == [2, 3, 6]
    both = pd.concat([chunk.rows for chunk in chunks], ignore_index=True)
    assert both.to_dict("list") == {"a": ["1", "2", "3"], "b": ["x, y", "two\nlines", "z"]}


@pytest.mark.parametrize("name", ["rows.csv", "rows.csv.gz"])
def test_a_file_in_pieces_holds_the_same_cells_as_the_file_at_once(tmp_path, tables, name):
    frame = tables.table(100)
    frame.to_csv(tmp_path / name, index=False)
    parts = [chunk.rows for chunk in ChunkedReader(tmp_path / name, 7).chunks()]
    assert [len(part) for part in parts] == [7] * 14 + [2]
    pd.testing.assert_frame_equal(
        pd.concat(parts, ignore_index=True),
        pd.read_csv(tmp_path / name, dtype=object, keep_default_na=False),
    )


def test_a_line_with_too_many_or_too_few_cells_is_marked_and_the_others_are_read(tmp_path):
    file = write(tmp_path / "rows.csv", "a,b\n1,2\n1,2,3\n4\n5,6\n")
    (chunk,) = ChunkedReader(file).chunks()
    assert chunk.malformed == {
        1: "the row has 3 cells, and the header 2",
        2: "the row has 1 cells, and the header 2",
    }
    assert chunk.lines == ["1,2", "1,2", "4,", "5,6"]
    assert chunk.rows["b"].iloc[3] == "6"


def test_a_later_file_is_read_by_the_format_of_the_first(tmp_path):
    file = write(tmp_path / "rows.csv", "report\na|b\n'1|5'|x\n")
    reader = ChunkedReader(file)
    file_format = FileFormat(separator="|", quote="'", skip_lines=1, columns=("b", "c"))
    assert reader.header(file_format) == ["a", "b"]
    (chunk,) = reader.chunks(file_format)
    assert chunk.rows.to_dict("list") == {"a": ["1|5"], "b": ["x"]}
    assert chunk.lines == ["1|5,x"]


def test_one_faulty_cell_leaves_the_other_booleans_and_codes_what_they_are(tables):
    frame = tables.table()
    preprocessor = tables.fitted(frame)
    frame["active"] = frame["active"].astype(str)
    frame.loc[0, "active"] = "perhaps"
    read = preprocessor.read(frame)["active"]
    assert np.isnan(read[0])
    assert set(read[1:]) == {0, 1}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("a,b,a\n1,2,3\n", "column 'a' twice"),
        ("<!DOCTYPE html>\n<html>", "a page of the web"),
    ],
)
def test_a_file_that_is_no_table_is_refused(tmp_path, text, words):
    file = write(tmp_path / "rows.csv", text)
    with pytest.raises(DataError, match=words):
        list(ChunkedReader(file).chunks())


def test_a_misspelt_file_is_named_with_the_nearest_one(tmp_path):
    write(tmp_path / "customers.csv", "a\n1\n")
    with pytest.raises(DataError, match=r"there is no file .*custmers.csv; did you mean 'customers.csv'"):
        ChunkedReader(tmp_path / "custmers.csv")


def idx(array):
    return bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def test_images_come_from_idx_npy_and_npz_alike(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (5, 4, 3), dtype=np.uint8)
    labels = np.arange(5, dtype=np.uint8)
    (tmp_path / "images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(pixels)))
    (tmp_path / "labels-idx1-ubyte").write_bytes(idx(labels))
    np.save(tmp_path / "images.npy", pixels)
    np.savez(tmp_path / "both.npz", images=pixels, labels=labels)
    for name, label in (
        ("images-idx3-ubyte.gz", "labels-idx1-ubyte"),
        ("images.npy", "labels-idx1-ubyte"),
        ("both.npz", None),
    ):
        chunks = list(ChunkedReader(tmp_path / name, 2, tmp_path / label if label else None).chunks())
        assert [len(chunk) for chunk in chunks] == [2, 2, 1]
        np.testing.assert_array_equal(np.concatenate([chunk.rows for chunk in chunks]), pixels)
        np.testing.assert_array_equal(np.concatenate([chunk.labels for chunk in chunks]), labels)


def test_an_array_of_objects_is_never_unpickled(tmp_path):
    np.save(tmp_path / "evil.npy", np.array([print], dtype=object), allow_pickle=True)
    with pytest.raises(DataError, match="Python objects"):
        list(ChunkedReader(tmp_path / "evil.npy").chunks())
