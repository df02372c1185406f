"""Files as people bring them, written anew: each case is a table that some program or person wrote in its own way."""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import openpyxl
import pandas as pd

N = 120


@dataclass(frozen=True)
class Case:
    """A file, and what a problem says of it.

    Args:
        name: of the case.
        file: the name of the file.
        data: its bytes.
        target: the column to learn.
        task: what it is.
        reading: the settings that the file needs.
        asked: what the run stops with where these settings are not given, empty where none are needed.
        drop: columns that are no inputs.
        kinds: what some columns hold.
        first: the values of the first row, as they are understood.
        bad_lines: lines that no prediction is made of.
        others: further files that hold the same table.
    """

    name: str
    file: str
    data: bytes
    target: str = "bought"
    task: str = "binary"
    reading: dict[str, Any] = field(default_factory=dict)
    asked: str = ""
    drop: tuple[str, ...] = ()
    kinds: dict[str, str] = field(default_factory=dict)
    first: dict[str, Any] = field(default_factory=dict)
    bad_lines: tuple[int, ...] = ()
    others: dict[str, bytes] = field(default_factory=dict)


def base(seed: int = 0) -> pd.DataFrame:
    """Return rows from which `bought` can be learned."""
    rng = np.random.default_rng(seed)
    age, score = rng.normal(45, 12, N).round(2), rng.normal(0, 1, N).round(3)
    bought = np.where(score + (age - 45) / 12 + rng.normal(0, 1, N) > 0, "yes", "no")
    return pd.DataFrame(
        {"age": age, "score": score, "colour": rng.choice(["red", "green", "blue"], N), "bought": bought}
    )


def text(frame: pd.DataFrame, encoding: str = "utf-8", **options: Any) -> bytes:
    """Return a table as the bytes of a text file."""
    return frame.to_csv(index=False, lineterminator="\n", **options).encode(encoding)


def with_line(data: bytes, line: int, new: bytes) -> bytes:
    """Return a text with one of its lines, counted from 1, replaced."""
    lines = data.split(b"\n")
    lines[line - 1] = new
    return b"\n".join(lines)


def german(number: float, digits: int) -> str:
    """Return a number with points between thousands and a decimal comma."""
    return f"{number:,.{digits}f}".translate(str.maketrans(",.", ".,"))


def thousands() -> Case:
    rng = np.random.default_rng(1)
    frame = base().rename(columns={"age": "price"})
    price = np.r_[4544.25, rng.lognormal(8, 1, N - 1).round(2)]
    frame["price"] = [f"{each:,.2f}" for each in price]
    return Case("thousands", "sales.csv", text(frame), kinds={"price": "number"}, first={"price": 4544.25})


def decimal_comma() -> Case:
    frame = base().rename(columns={"age": "länge", "score": "wert", "bought": "gut"})
    first = {"länge": frame["länge"][0], "wert": frame["wert"][0]}
    return Case(
        "decimal_comma", "messung.csv", text(frame, sep=";", decimal=","), target="gut", first=first,
        kinds={"länge": "number", "wert": "number"},
    )  # fmt: skip


def german_thousands() -> Case:
    rng = np.random.default_rng(2)
    frame = base()
    frame["age"] = [german(each, 1) for each in np.r_[12345.5, rng.lognormal(9, 1, N - 1)]]
    return Case("german_thousands", "umsatz.csv", text(frame, sep=";"), first={"age": 12345.5})


def currency() -> Case:
    rng = np.random.default_rng(3)
    frame = base().drop(columns=["age", "score"])
    frame.insert(0, "amount", [f"${each:,.2f}" for each in np.r_[2693.0, rng.lognormal(8, 1, N - 1)]])
    frame.insert(1, "discount", [f"{each:.1f}%" for each in np.r_[27.8, rng.uniform(0, 40, N - 1)]])
    return Case("currency", "offers.csv", text(frame), first={"amount": 2693.0, "discount": 0.278})


def index_column() -> Case:
    return Case("index_column", "frame.csv", base().to_csv().encode(), others={"without.csv": text(base())})


def preamble() -> Case:
    data = b"Report of the north branch\nmade 2023-01-05\n\n" + text(base()) + f"Total,,,{N}\n".encode()
    return Case(
        "preamble", "export.csv", data, reading={"skip_lines": 3}, bad_lines=(N + 5,),
        asked="add problem.reading.skip_lines: 3", others={"without.csv": text(base())},
    )  # fmt: skip


def filled_heading() -> Case:
    """A heading as spreadsheets export it: as many separators as the rows have."""
    data = b"Report of the north branch;;;\n;;;\n" + text(base(), sep=";")
    return Case(
        "filled_heading", "export.csv", data, reading={"skip_lines": 2},
        asked="add problem.reading.skip_lines: 2", others={"without.csv": text(base())},
    )  # fmt: skip


def names_in_two_rows() -> Case:
    """A word above several columns, as merged cells of a spreadsheet are exported, and one that stands alone."""
    frame = base()
    top, names = ["measured", "", "colour", "bought"], ["age", "score", "", ""]
    joined = frame.set_axis(["measured age", "measured score", "colour", "bought"], axis=1)
    rows = text(frame, header=False)
    book = openpyxl.Workbook()
    for row in [[each or None for each in top], [each or None for each in names], *frame.to_numpy().tolist()]:
        book.active.append(row)
    book.active.merge_cells("A1:B1")
    file = io.BytesIO()
    book.save(file)
    return Case(
        "names_in_two_rows", "pivot.csv", f"{','.join(top)}\n{','.join(names)}\n".encode() + rows,
        reading={"header_rows": 2}, asked="add problem.reading.header_rows: 2", kinds={"measured age": "number"},
        first={"measured score": frame["score"][0]},
        others={"one_row.csv": text(joined), "pivot.xlsx": file.getvalue(), "pivot.tsv": (
            "\t".join(top) + "\n" + "\t".join(names) + "\n").encode() + text(frame, header=False, sep="\t")},
    )  # fmt: skip


def percents_and_fractions() -> Case:
    """A rate whose percent sign was written by some people alone, and the others wrote a fraction."""
    rate = np.random.default_rng(21).uniform(1, 9, N).round(2)
    frame = base().drop(columns="age").rename(columns={"score": "rate"})
    frame["rate"] = [f"{each:.2f} %" if k % 4 else f"{each / 100:.4f}" for k, each in enumerate(rate)]
    return Case(
        "percents_and_fractions", "rates.csv", text(frame), reading={"percent": {"rate": "fraction"}},
        asked="percent: {rate: fraction}", kinds={"rate": "number"}, first={"rate": float(frame["rate"][0])},
    )  # fmt: skip


def units() -> Case:
    """Numbers with a unit behind them, and powers of ten with a decimal comma."""
    rng = np.random.default_rng(9)
    weight, heat, force = np.r_[71.7, rng.normal(70, 9, N - 1)], rng.normal(20, 5, N), rng.lognormal(6, 2, N)
    frame = base()[["bought"]].assign(
        gewicht=[f"{each:.1f} kg".replace(".", ",") for each in weight],
        temperatur=[f"{each:.0f}°C" for each in heat],
        kraft=[f"{each:.3E}".replace(".", ",") for each in np.r_[345.6, force[1:]]],
    )
    return Case(
        "units", "messung.csv", text(frame, sep=";"), first={"gewicht": 71.7, "kraft": 345.6},
        kinds={"gewicht": "number", "temperatur": "number", "kraft": "number"},
    )  # fmt: skip


def powers() -> Case:
    """Numbers with a suffix of thousands or millions, with a currency and without."""
    rng = np.random.default_rng(19)
    value, views = np.r_[110.5e6, rng.lognormal(14, 2, N - 1)], np.r_[201e3, rng.lognormal(9, 2, N - 1)]
    frame = base()[["bought"]].assign(
        value=[f"€{each / 1e6:.1f}M" if each >= 1e6 else f"€{each / 1e3:.0f}K" for each in value],
        views=[f"{each / 1e3:.1f}k" if each >= 1e3 else f"{each:.0f}" for each in views],
        umsatz=[
            f"{each:.2f} Mio. €".replace(".", ",", 1) for each in np.r_[3.25, rng.lognormal(1, 1, N - 1)]
        ],
    )
    return Case(
        "powers", "players.csv", text(frame, sep=";"), first={"value": 110.5e6, "views": 201e3, "umsatz": 3.25e6},
        kinds={"value": "number", "views": "number", "umsatz": "number"},
    )  # fmt: skip


def pairs() -> Case:
    """Two numbers in a cell: a blood pressure with an empty cell, a score, and the size of a picture."""
    rng = np.random.default_rng(23)
    frame = base()[["age", "bought"]]
    pressure = [f"{a}/{b}" for a, b in zip(rng.integers(100, 160, N), rng.integers(60, 95, N), strict=True)]
    frame.insert(0, "pressure", ["135/85", "NA", *pressure[2:]])
    frame.insert(1, "goals", [f"{a}-{b}" for a, b in rng.integers(0, 6, (N, 2))])
    frame.insert(2, "size", [f"{a} x {b}.5" for a, b in rng.integers(300, 2000, (N, 2))])
    names = ("pressure", "goals", "size")
    return Case(
        "pairs", "clinic.csv", text(frame), reading={"columns": dict.fromkeys(names, "pair")},
        kinds=dict.fromkeys(names, "pair"), first={"pressure": "135/85"},
    )  # fmt: skip


def limits() -> Case:
    """Numbers that are not told closer: below what a laboratory detects, and the last choice of a form."""
    rng = np.random.default_rng(21)
    value = np.r_[0.01, rng.lognormal(0, 1.5, N - 1)].round(2)
    frame = base()[["age", "bought"]].assign(
        crp=["<0.5" if each < 0.5 else ">10" if each > 10 else f"{each:.2f}" for each in value],
        children=rng.choice(["0", "1", "2", "3+"], N),
    )
    frame.loc[0, "children"] = "3+"
    return Case(
        "limits", "laboratory.csv", text(frame), first={"crp": 0.5, "children": 3.0},
        kinds={"crp": "number", "children": "number"},
    )  # fmt: skip


def booleans_of_other_languages() -> Case:
    """True and false as spreadsheets of other languages write them, with gaps in some."""
    rng = np.random.default_rng(20)
    frame = base()
    for name, words in (
        ("aktiv", ["WAHR", "FALSCH"]),
        ("payé", ["VRAI", "FAUX", ""]),
        ("socio", ["Verdadero", "Falso"]),
    ):
        frame[name] = rng.choice(words, N)
        frame.loc[0, name] = words[0]
    return Case(
        "booleans_of_other_languages", "mitglieder.csv", text(frame, sep=";"),
        first={"aktiv": True, "payé": 1.0, "socio": True},
        kinds={"aktiv": "boolean", "payé": "boolean", "socio": "boolean"},
    )  # fmt: skip


def spellings() -> Case:
    """Words that differ in capitals alone, in an input and in the target, and blanks around some of them."""
    frame, rng = base(), np.random.default_rng(8)
    for name, words in (
        ("colour", (str.upper, str.title, str)),
        ("bought", (str.upper, str.title, "{} ".format)),
    ):
        frame[name] = [words[k](word) for k, word in zip(rng.integers(3, size=N), frame[name], strict=True)]
    return Case(
        "spellings", "answers.csv", text(frame), reading={"ignore_case": ["colour", "bought"]},
        first={"colour": base()["colour"][0], "bought": base()["bought"][0]}, others={"small.csv": text(base())},
    )  # fmt: skip


def made_up_names() -> Case:
    rng = np.random.default_rng(4)
    frame = pd.DataFrame({"a": rng.choice(["b", "b_c", "z"], N), "a_b": rng.choice(["q", "c"], N)})
    frame["size"] = np.where(rng.random(N) < 0.2, np.nan, base()["age"])
    frame["size_missing"] = rng.integers(0, 3, N)
    return Case("made_up_names", "clash.csv", text(frame.assign(bought=base()["bought"])))


def stray_quote() -> Case:
    frame = base().rename(columns={"colour": "part"})
    frame["part"] = np.random.default_rng(5).choice(["steel", "wood", "pipe"], N)
    data = with_line(text(frame), 40, b'33.87,-0.618,12" pipe,no')
    data = with_line(data, 81, b'56.75,0.599,"half open,yes')
    return Case(
        "stray_quote", "parts.csv", data, reading={"bad_rows": "drop"}, bad_lines=(81,),
        asked="line 81: a quote in the row does not enclose a cell",
    )  # fmt: skip


def windows_1252() -> Case:
    frame = base().rename(columns={"colour": "stadt", "bought": "kauf"})
    frame["stadt"] = np.random.default_rng(6).choice(["Zürich", "Köln", "Györ"], N)
    frame.loc[0, "stadt"] = "Köln"
    return Case(
        "windows_1252", "städte.csv", text(frame, "cp1252"), target="kauf", first={"stadt": "Köln"},
        others={"utf8.csv": text(frame)},
    )  # fmt: skip


def longer_rows() -> Case:
    data = text(base())
    lines = data.split(b"\n")
    bad = tuple(range(9, N, 9))
    for line in bad:
        lines[line - 1] += b",note"
    return Case(
        "longer_rows", "ragged.csv", b"\n".join(lines), reading={"bad_rows": "drop"}, bad_lines=bad,
        asked="line 9: the row has 5 cells, and the header 4",
    )  # fmt: skip


def sentinel() -> Case:
    frame = base().rename(columns={"age": "temperature"})
    frame.loc[5::15, "temperature"] = 9999
    return Case("sentinel", "weather.csv", text(frame), reading={"missing_in": {"temperature": [9999]}})


def null_words() -> Case:
    rng = np.random.default_rng(7)
    frame = base()
    frame["answer"] = rng.choice(["None", "null", "Many", "Some"], N)
    frame["age"] = frame["age"].astype(str)
    frame.loc[3::10, "age"] = "NA"
    frame.loc[0, "answer"] = "None"
    return Case("null_words", "survey.csv", text(frame), first={"answer": "None"}, kinds={"age": "number"})


def unseen_characters() -> Case:
    """What looks the same: blanks of no width, blanks that do not break, accents in two forms; in names as well."""
    frame, rng = base(), np.random.default_rng(31)
    words = {"red": "New York", "green": "Zürich", "blue": "Rio"}
    plain = frame.assign(**{"colour": frame["colour"].map(words)})
    forms = (
        "{}".format,
        "\u200b{}\ufeff".format,
        lambda word: word.replace(" ", "\u00a0").replace("ü", "u\u0308").replace("i", "i\u2060\u00ad"),
    )
    drawn = {name: rng.integers(3, size=N) for name in ("colour", "age", "bought")}
    for name, columns in drawn.items():
        cells = zip(columns, plain[name].astype(str), strict=True)
        frame[name] = [forms[k](cell) if name == "colour" else forms[k % 2](cell) for k, cell in cells]
    unseen = frame.rename(
        columns={"colour": "\ufeffcolour\u200b", "age": "age\u00a0", "bought": "\u200bbought"}
    )
    return Case(
        "unseen_characters", "copied.csv", text(unseen), kinds={"age": "number", "colour": "category"},
        first={"colour": plain["colour"][0], "bought": plain["bought"][0]},
        others={"plain.csv": text(plain), "typed.parquet": parquet(unseen)},
    )  # fmt: skip


def spaces_and_booleans() -> Case:
    rng = np.random.default_rng(8)
    frame = base().rename(columns={"age": " age "})
    frame["active"] = rng.choice([" N", "N ", "y", "Y", "n"], N)
    frame["member"] = rng.choice(["TRUE", "false", "True", "0", "1"], N)
    return Case("spaces_and_booleans", "flags.csv", text(frame), kinds={"member": "boolean"})


def huge_cell() -> Case:
    data = with_line(text(base()), 31, b"1e300,0.5,red,no")
    return Case("huge_cell", "huge.csv", with_line(data, 61, b"45.5,-1e308,red,yes"), bad_lines=(31, 61))


def impossible_date() -> Case:
    days = pd.to_datetime("2020-01-01") + pd.to_timedelta(np.random.default_rng(9).integers(0, 1400, N), "D")
    frame = base()
    frame.insert(0, "visit", days.strftime("%d.%m.%Y"))
    frame.loc[0, "visit"] = "22.02.2018"
    frame.loc[[48, 98], "visit"] = ["31.02.2021", "30.02.2022"]
    return Case(
        "impossible_date", "visits.csv", text(frame), bad_lines=(50, 100), kinds={"visit": "date"},
        first={"visit": pd.Timestamp("2018-02-22")},
    )  # fmt: skip


def mixed_dates() -> Case:
    rng = np.random.default_rng(10)
    when = pd.to_datetime("2023-01-01") + pd.to_timedelta(rng.integers(0, 400_000, N), "min")
    stamps = [f"{each:%Y-%m-%d %H:%M}" if rng.random() < 0.5 else f"{each:%Y-%m-%d}" for each in when]
    frame = base()
    frame.insert(0, "stamp", stamps)
    frame.loc[0, "stamp"] = "2023-09-12 22:30"
    return Case(
        "mixed_dates", "stamps.csv", text(frame), kinds={"stamp": "date"},
        first={"stamp": pd.Timestamp("2023-09-12 22:30")},
    )  # fmt: skip


def months_of_other_languages() -> Case:
    months = ("Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober")
    days = np.random.default_rng(32).integers(1, 28, (N, 3))
    cells = [f"{day}. {months[month % 10]} {2000 + year}" for day, month, year in days]
    cells[0] = "3. März 2021"
    return Case(
        "months_of_other_languages", "termine.csv", text(base().assign(day=cells)), kinds={"day": "date"},
        first={"day": pd.Timestamp("2021-03-03")},
    )  # fmt: skip


def class_names() -> Case:
    names = ["naïve", "a_b^2", "50% \\alpha {x}", "<b>high</b>", "$x$"]
    frame = base().drop(columns="bought").assign(kind=np.arange(N) % 5)
    frame["age"] += 10 * frame["kind"]
    return Case(
        "class_names", "classes.csv", text(frame.assign(kind=[names[k] for k in frame["kind"]])), "kind",
        "multiclass",
    )  # fmt: skip


def rare_class() -> Case:
    """Machines of which a few are broken: that is what has to be found, though its name is the first one."""
    state = np.where(np.random.default_rng(18).random(N) < 0.1, "broken", "fine")
    return Case(
        "rare_class", "machines.csv", text(base().drop(columns="bought").assign(state=state)), "state"
    )


def tiny_with_outlier() -> Case:
    """A few rows of numbers, one of them absurdly far from all others."""
    frame = base().drop(columns=["bought", "colour"]).head(45)
    frame["level"] = (frame["score"] + np.random.default_rng(19).normal(size=45)).round(2)
    frame.loc[20, "level"] = 900
    return Case("tiny_with_outlier", "tiny.csv", text(frame), "level", "regression")


def column_names() -> Case:
    frame = base().rename(columns={"age": "speed [km/h]", "score": "CO₂ %", "colour": "x:y $a$"})
    frame["ä" * 90] = np.random.default_rng(11).normal(size=N).round(2)
    frame["a=b;c"] = np.random.default_rng(12).choice(["u", "v"], N)
    return Case("column_names", "names.csv", text(frame))


def containers() -> Case:
    rng = np.random.default_rng(13)
    frame = base()
    frame["member"] = rng.integers(0, 2, N).astype(bool)
    frame["day"] = pd.to_datetime("2023-03-01") + pd.to_timedelta(rng.integers(0, 200, N), "D")
    frame.loc[4::11, "age"] = np.nan
    data = text(frame)
    archive, book = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("table.csv", data)
    sheet = openpyxl.Workbook()
    sheet.active.append(list(frame))
    for row in frame.astype(object).where(frame.notna(), None).itertuples(index=False):
        sheet.active.append(
            [each.to_pydatetime() if isinstance(each, pd.Timestamp) else each for each in row]
        )
    sheet.save(book)
    others = {
        "table.tsv": text(frame, sep="\t"),
        "table.zip": archive.getvalue(),
        "table.csv.gz": gzip.compress(data),
        "table.parquet": parquet(frame),
        "table.xlsx": book.getvalue(),
    }
    return Case("containers", "table.csv", data, others=others)


def bom_and_crlf() -> Case:
    data = b"\xef\xbb\xbf" + text(base().rename(columns={"score": "score "})).replace(b"\n", b"\r\n")
    return Case("bom_and_crlf", "windows.csv", data, others={"plain.csv": text(base())})


def leading_zeros() -> Case:
    frame = base()
    frame.insert(0, "zip", np.random.default_rng(14).choice(["00420", "10001", "05005", "98765", "01234"], N))
    frame.loc[0, "zip"] = "00420"
    return Case("leading_zeros", "zip.csv", text(frame), kinds={"zip": "category"}, first={"zip": "00420"})


def empty_and_constant() -> Case:
    frame = base()
    frame.insert(1, "nothing", "")
    frame.insert(2, "always", "x")
    return Case("empty_and_constant", "sparse.csv", text(frame), others={"without.csv": text(base())})


def empty_targets() -> Case:
    """Rows of which some have no target: every door answers them, and none measures by them."""
    frame = base()
    frame.loc[7::20, "bought"] = None
    return Case("empty_targets", "partly.csv", text(frame), others={"typed.parquet": parquet(frame)})


def no_header() -> Case:
    """A file whose first line is a row, as the older public collections have them."""
    names = [f"column_{k}" for k in range(1, 5)]
    frame = base().set_axis(names, axis=1)
    return Case(
        "no_header", "raw.data", text(frame, header=False), "column_4", reading={"names": names},
        asked=r"looks like a row: add the names to problem.reading, such as names: \[column_1, ",
        kinds={"column_1": "number", "column_3": "category"}, first={"column_1": frame["column_1"][0]},
        others={"named.csv": text(frame[names[::-1]]), "raw.tsv": text(frame, header=False, sep="\t")},
    )  # fmt: skip


def parquet(frame: pd.DataFrame) -> bytes:
    """Return a table as the bytes of a Parquet file."""
    file = io.BytesIO()
    frame.to_parquet(file)
    return file.getvalue()


def identifiers_and_text() -> Case:
    """An order's number and its comment, each with a value of its own in every row, and a place of many names."""
    rng = np.random.default_rng(17)
    words = ["door", "late", "blue", "quick", "call", "rain", "broken", "again", "fine", "box"]
    frame = base().drop(columns="colour")
    frame.insert(0, "order_id", [f"ORD-{k:06}" for k in range(N)])
    frame.insert(1, "comment", [f"{' '.join(rng.choice(words, 6))} {k}" for k in range(N)])
    frame.insert(2, "place", [f"place {k}" for k in rng.integers(0, 75, N)])
    return Case(
        "identifiers_and_text", "orders.csv", text(frame), others={"short.csv": text(frame.iloc[:, 1:])}
    )


def quoted_cells() -> Case:
    """Cells that hold separators, quotes and, in other rows, nothing."""
    rng = np.random.default_rng(15)
    frame = base()
    frame["colour"] = rng.choice(['deep, dark "red"', "green; or so", ""], N)
    return Case("quoted_cells", "quoted.csv", text(frame, quoting=csv.QUOTE_ALL))


def several_faults() -> Case:
    """What stands above, together: semicolons, a heading, another encoding, blanks, totals and an unnamed column."""
    frame = base().rename(columns={"colour": "größe"})
    frame["größe"] = np.random.default_rng(16).choice(["groß ", " klein", "mäßig"], N)
    data = "Auszug für Köln\n" + frame.to_csv(sep=";", decimal=",", lineterminator="\n") + "Summe:;;;;\n"
    return Case(
        "several_faults", "auszug.csv", data.encode("cp1252"), reading={"skip_lines": 1}, bad_lines=(N + 3,),
        asked="add problem.reading.skip_lines: 1",
    )  # fmt: skip


MAKERS: tuple[Callable[[], Case], ...] = (
    thousands, decimal_comma, german_thousands, currency, index_column, preamble, filled_heading, names_in_two_rows,
    spellings, unseen_characters, units, powers, booleans_of_other_languages, limits, pairs, percents_and_fractions,
    made_up_names, stray_quote, windows_1252, longer_rows, sentinel, null_words, spaces_and_booleans, huge_cell,
    impossible_date, mixed_dates, months_of_other_languages,
    class_names, column_names, containers, bom_and_crlf, leading_zeros, empty_and_constant, identifiers_and_text,
    quoted_cells, several_faults, rare_class, tiny_with_outlier, empty_targets, no_header,
)  # fmt: skip
CASES = {maker.__name__: maker for maker in MAKERS}
