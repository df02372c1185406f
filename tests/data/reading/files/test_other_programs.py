"""Files of other programs are named, with what makes a table of them."""

import gzip
import pickle
import sqlite3

import pandas as pd
import pytest

from layerwise.data import DataError
from layerwise.data.reading import ReadingSettings, resolve_file_format

FRAME = pd.DataFrame({"a": [1.5, 2.5], "b": [0.25, 0.5], "y": [0, 1]})


def write_database(path):
    with sqlite3.connect(path) as connection:
        FRAME.to_sql("orders", connection)


WRITERS = {
    "x.dta": (FRAME.to_stata, "a file of Stata: pandas.read_stata('x.dta').to_parquet('x.parquet')"),
    "x.feather": (FRAME.to_feather, "an Arrow (Feather) file: pandas.read_feather('x.feather')"),
    "x.pkl": (lambda path: path.write_bytes(pickle.dumps(FRAME)), "a pickle, which runs code"),
    "x.html": (lambda path: path.write_text(FRAME.to_html()), "HTML: pandas.read_html('x.html')[0]"),
    "x.xml": (lambda path: FRAME.to_xml(path, parser="etree"), "an XML file: pandas.read_xml('x.xml')"),
    "page.csv": (lambda path: path.write_text("<!DOCTYPE html><p>404"), "a page of the web, as a download"),
    "wiki.csv": (
        lambda path: path.write_text(f"<html>{FRAME.to_html()}"),
        "leaves one; pandas.read_html finds its tables",
    ),
    "x.libsvm": (
        lambda path: path.write_text("1 1:0.5 3:2\n0 2:1\n"),
        "in svmlight's form: sklearn.datasets.load_svmlight_file",
    ),
    "x.log": (
        lambda path: path.write_text('ts=2024-01-01 level=INFO msg="a b"\nts=2024-01-02 level=INFO msg=c\n'),
        "a log of name=value pairs",
    ),
    "x.sqlite": (write_database, "a SQLite database"),
    "x.sav": (lambda path: path.write_bytes(b"$FL2@(#) SPSS DATA FILE" + bytes(40)), "a file of SPSS"),
    "x.sas7bdat": (
        lambda path: path.write_bytes(bytes(12) + b"\xc2\xea\x81\x60" + bytes(40)),
        "a file of SAS: pandas.read_sas",
    ),
    "x.rds": (lambda path: path.write_bytes(gzip.compress(b"X\n\x00\x00\x00\x03")), "R's own file"),
    "x.RData": (lambda path: path.write_bytes(gzip.compress(b"RDX3\nX\n")), "R's own file"),
    "x.arff": (lambda path: path.write_text("% Weka\n@relation x\n@data\n1\n"), "a file of Weka (ARFF)"),
}


@pytest.mark.parametrize("name", WRITERS)
def test_a_file_of_another_program_is_named_with_what_makes_a_table_of_it(tmp_path, name):
    write, said = WRITERS[name]
    write(tmp_path / name)
    with pytest.raises(DataError) as error:
        resolve_file_format(tmp_path / name, ReadingSettings())
    assert str(error.value).startswith(f"{tmp_path / name} is ")
    assert said in str(error.value)


@pytest.mark.parametrize(
    "text",
    [
        "5 8:30 17:00\n6 8:45 16:10\n",
        "ORC,RDX\n1,2\n",
        "x=1,y=2\n1,2\n",
        "price < 5,y\n1,2\n",
        "a=b c\n1 2\n",
    ],
)
def test_what_looks_a_little_like_one_stays_text(tmp_path, text):
    path = tmp_path / "t.csv"
    path.write_text(text)
    settings = ReadingSettings(names=[], separator="," if "," in text else "space")
    assert resolve_file_format(path, settings).contents == "text"
