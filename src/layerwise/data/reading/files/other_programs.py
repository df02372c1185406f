"""Files of other programs that people take for a table that can be read, each with what makes one of it."""

from __future__ import annotations

import re
from pathlib import Path

# How many bytes of a file tell what it is: Weka's format begins with comments.
SAMPLE = 20_000
BY_PANDAS = "{what}: pandas.{function}({name!r}).to_parquet({new!r}) makes a file that can be read"
OF_R = "R's own file: write.csv(x, 'x.csv', row.names = FALSE) in R makes one that can be read"
PICKLE = "a pickle, which runs code when it is opened: save the table as parquet or csv"
MAGIC = {
    b"\xd0\xcf\x11\xe0": "a workbook of the old kind (xls): save it as xlsx or csv",
    b"%PDF": "a PDF document",
    b"\x28\xb5\x2f\xfd": "compressed by zstd: unpack it first",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive: unpack it first",
    b"Rar!": "a rar archive: unpack it first",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"\x89HDF": "an HDF5 file: read it with pandas and save it as parquet or csv",
    b"SQLite format 3": "a SQLite database: name a query in the catalog (kedro_datasets.pandas.SQLQueryDataset)",
    b"MATLAB 5.0 MAT-file": "a MATLAB file: read it with scipy.io.loadmat and save it as parquet or csv",
    b"CDF\x01": "a netCDF file: read it with xarray and save it as parquet or csv",
    b"Obj\x01": "an Avro file: save it as parquet or csv",
    **dict.fromkeys((b"RDX2\n", b"RDX3\n", b"X\n\x00\x00"), OF_R),
    **dict.fromkeys((b"\x80\x03", b"\x80\x04", b"\x80\x05"), PICKLE),
}
# What pandas reads, by its first bytes.
PANDAS = {
    b"<stata_dta>": ("a file of Stata", "read_stata"),
    b"\x72\x02\x01": ("a file of Stata", "read_stata"),
    b"\x73\x02\x01": ("a file of Stata", "read_stata"),
    b"$FL2": ("a file of SPSS", "read_spss"),
    b"$FL3": ("a file of SPSS", "read_spss"),
    b"\x00" * 12 + b"\xc2\xea\x81\x60": ("a file of SAS", "read_sas"),
    b"ARROW1\x00\x00": ("an Arrow (Feather) file", "read_feather"),
    b"<?xml": ("an XML file", "read_xml"),
}
ARFF = re.compile(rb"(?:\s|%[^\n]*\n)*@relation\s", re.IGNORECASE)
PAGE = re.compile(rb"\s*<(?:!doctype html|html)", re.IGNORECASE)
TABLE_OF_A_PAGE = re.compile(rb"\s*<(?:div|style|table|p)\b", re.IGNORECASE)
# A point at least, by which it is no line of times such as 5 8:30 17:00.
SVMLIGHT = re.compile(rb"(?:#[^\n]*\n)*(?=[^\n]*:[^\n]*\.)[+\-]?[\d.]+(?:,\d+)*(?: +\d+:[+\-\d.eE]+)+ *\r?\n")
PAIRS = re.compile(
    rb'(?:[A-Za-z_][\w.]*=(?:"[^"\n]*"|[^\s"]+) +)+[A-Za-z_][\w.]*=(?:"[^"\n]*"|[^\s"]+) *\r?\n'
)


def name_other_program(start: bytes, path: Path) -> str:
    """Return what a file is and what makes a table of it, behind "is"; empty for one that may be a table.

    Args:
        start: its first bytes, unpacked.
        path: its name, for the command.
    """
    for magic, what in MAGIC.items():
        if start.startswith(magic):
            return what
    new = f"{path.name.partition('.')[0]}.parquet"
    for magic, (what, function) in PANDAS.items():
        if start.removeprefix(b"\xef\xbb\xbf").startswith(magic):
            return BY_PANDAS.format(what=what, function=function, name=path.name, new=new)
    if PAGE.match(start):
        found = "a page of the web, as a download that failed leaves one"
        return f"{found}; pandas.read_html finds its tables" if b"<table" in start.lower() else found
    if TABLE_OF_A_PAGE.match(start):
        return f"HTML: pandas.read_html({path.name!r})[0].to_parquet({new!r}) makes a file of its first table"
    if ARFF.match(start):
        return "a file of Weka (ARFF): read it with scipy.io.arff and save it as csv or parquet"
    if SVMLIGHT.match(start):
        return "in svmlight's form: sklearn.datasets.load_svmlight_file reads it; save it as parquet or csv"
    if PAIRS.match(start):
        return "a log of name=value pairs: write it as JSON lines, or as csv with a line of names"
    return ""
