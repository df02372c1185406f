"""What a file is, told by its bytes; what is cut off, damaged or no table is refused by name."""

import bz2
import gzip
import lzma
import zipfile

import pytest

from layerwise.data import DataError
from layerwise.data.reading.files import contents_of
from layerwise.data.reading.files.containers import open_bytes

TEXT = b"a,b\n1,2\n" * 500


def written(path, data):
    path.write_bytes(data)
    return path


def unpacked(path):
    with open_bytes(path) as file:
        return file.read()


def zipped(path, **members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress])
def test_a_file_is_unpacked_by_its_content_whatever_its_name(tmp_path, pack):
    path = written(tmp_path / "table.csv", pack(TEXT))
    assert contents_of(path) == "text"
    assert unpacked(path) == TEXT


def test_a_zip_of_one_file_is_that_file(tmp_path):
    path = zipped(tmp_path / "table.csv", **{"folder/table.csv": TEXT, "__MACOSX/._table.csv": b"x"})
    assert contents_of(path) == "text"
    assert unpacked(path) == TEXT


def test_a_zip_of_two_files_is_refused_with_their_names(tmp_path):
    path = zipped(tmp_path / "two.zip", **{"a.csv": TEXT, "b.csv": TEXT})
    with pytest.raises(DataError, match=r"two.zip is an archive of 2 files \(a.csv, b.csv\)"):
        unpacked(path)


@pytest.mark.parametrize(
    ("pack", "said"), [(gzip.compress, "cut off"), (bz2.compress, "cut off"), (lzma.compress, "cut off")]
)
def test_a_file_that_is_cut_off_is_refused_by_name(tmp_path, pack, said):
    data = pack(TEXT)
    path = written(tmp_path / "table.csv.gz", data[: len(data) - 5])
    with pytest.raises(DataError, match=f"table.csv.gz is {said}"):
        unpacked(path)


def test_a_broken_file_is_refused_by_name(tmp_path):
    data = bytearray(gzip.compress(TEXT))
    data[-8] ^= 1  # the checksum
    with pytest.raises(DataError, match=r"table\.gz is damaged"):
        unpacked(written(tmp_path / "table.gz", bytes(data)))
    whole = zipped(tmp_path / "table.zip", **{"a.csv": TEXT}).read_bytes()
    with pytest.raises(DataError, match=r"cut\.zip is damaged"):
        unpacked(written(tmp_path / "cut.zip", whole[:-30]))


@pytest.mark.parametrize(
    ("start", "said"),
    [
        (b"\xd0\xcf\x11\xe0" + bytes(20), "a workbook of the old kind"),
        (b"%PDF-1.7 and so on", "a PDF document"),
        (b"\x28\xb5\x2f\xfd" + bytes(20), "compressed by zstd"),
        (b"SQLite format 3\x00" + bytes(20), "a SQLite database"),
        (b"", "empty"),
    ],
)
def test_what_is_no_table_is_named(tmp_path, start, said):
    with pytest.raises(DataError, match=f"other.csv is {said}"):
        contents_of(written(tmp_path / "other.csv", start))


def test_the_nearest_name_is_said_of_a_file_that_is_not_there(tmp_path):
    written(tmp_path / "customers.csv", TEXT)
    with pytest.raises(DataError, match=r"there is no file .*customer.csv; did you mean 'customers.csv'"):
        contents_of(tmp_path / "customer.csv")
