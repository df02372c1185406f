"""Pandera schemas of raw tables, for catalog entries.

A schema reports missing columns, text among numbers, infinite values and a target that cannot be learned.
Missing values in an input are allowed, because preprocessing imputes them, and so is any category,
also one that training never saw. Columns beyond these are not looked at. The cells of a text file are text, None
where they are empty.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pandera.pandas as pa


def _holds_numbers(column: pd.Series) -> pd.Series:
    return pd.to_numeric(column, errors="coerce").notna() | column.isna()


def _is_finite(column: pd.Series) -> pd.Series:
    # Text counts as finite here, for the check above already names it.
    return ~pd.to_numeric(column, errors="coerce").abs().eq(np.inf)


NUMBERS = pa.Check(_holds_numbers, name="a number, not text")
FINITE = pa.Check(_is_finite, name="finite")


def _number(*checks: pa.Check, nullable: bool = True) -> pa.Column:
    return pa.Column(None, checks=[NUMBERS, FINITE, *checks], nullable=nullable)


def _category() -> pa.Column:
    return pa.Column(None, nullable=True)


def _at_least_zero(column: pd.Series) -> pd.Series:
    return ~(pd.to_numeric(column, errors="coerce") < 0)


def _is_zero_or_one(column: pd.Series) -> pd.Series:
    return pd.to_numeric(column, errors="coerce").isin([0, 1])


CHURN = pa.DataFrameSchema(
    {
        "RowNumber": _category(),
        "CustomerId": _category(),
        "Surname": _category(),
        "CreditScore": _number(),
        "Geography": _category(),
        "Gender": _category(),
        "Age": _number(),
        "Tenure": _number(),
        "Balance": _number(),
        "NumOfProducts": _number(),
        "HasCrCard": _number(),
        "IsActiveMember": _number(),
        "EstimatedSalary": _number(),
        "Exited": _number(pa.Check(_is_zero_or_one, name="0 or 1"), nullable=False),
    },
    name="churn",
)

FOREST_FIRES = pa.DataFrameSchema(
    {
        "X": _number(),
        "Y": _number(),
        "month": _category(),
        "day": _category(),
        "FFMC": _number(),
        "DMC": _number(),
        "DC": _number(),
        "ISI": _number(),
        "temp": _number(),
        "RH": _number(),
        "wind": _number(),
        "rain": _number(),
        "area": _number(pa.Check(_at_least_zero, name="not negative"), nullable=False),
    },
    name="forest fires",
)
