"""Columns derived from the forest fires table (Cortez & Morais 2007): a class, and the table of the exercises."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


# Fixed, so that a few rows give the same columns as the whole table.
DUMMY_VALUES = {
    "day": ("fri", "mon", "sat", "sun", "thu", "tue", "wed"),
    "month": ("apr", "aug", "dec", "feb", "jan", "jul", "jun", "mar", "may", "nov", "oct", "sep"),
}
# What the exercises' table is made of.
CLASSIC_COLUMNS = ("X", "Y", "month", "day", "area")


def add_size_category(frame: pd.DataFrame) -> pd.DataFrame:
    """Add `size_category`: `large` iff the burned area is above 6 hectares; empty where the area is no number."""
    import pandas as pd

    area = pd.to_numeric(frame["area"], errors="coerce")
    category = area.gt(6).map({True: "large", False: "small"})
    return frame.assign(size_category=category.where(area.notna()))


def classic_table(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the 31 columns of the exercises: without X and Y, with day and month dummies and the class."""
    dummies = {
        f"{part}{value}": (frame[part] == value).astype("int64")
        for part, values in DUMMY_VALUES.items()
        for value in values
    }
    return add_size_category(frame.drop(columns=["X", "Y"]).assign(**dummies))


def classic_csv(frame: pd.DataFrame) -> bytes:
    """Return the classic table as the file that is in circulation: integers without a decimal point, CRLF line ends."""
    text = classic_table(frame).to_csv(index=False, float_format="%.10g", lineterminator="\r\n")
    return text.encode()
