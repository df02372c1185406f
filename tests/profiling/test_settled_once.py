"""A table is settled once: when its target turns out, that column alone is read anew."""

import numpy as np
import pytest
from helpers.new_problems import N, kept_rows as rows

from layerwise.profiling import tables
from layerwise.profiling.reading import settle_again, settle_reading

rng = np.random.default_rng(5)
STARS = rng.integers(1, 4, N)


@pytest.fixture
def count(monkeypatch):
    """Return a list that grows by one each time that a table is settled."""
    found = []
    monkeypatch.setattr(tables, "settle_reading", lambda *a, **k: found.append(1) or settle_reading(*a, **k))
    monkeypatch.setattr(
        "layerwise.profiling.reading.settle_reading",
        lambda *a, **k: found.append(1) or settle_reading(*a, **k),
    )
    return found


def test_a_table_whose_target_is_guessed_is_settled_once(propose, count):
    assert propose(rows()).proposal.value("problem.target") == "kept"
    assert len(count) == 1


@pytest.mark.parametrize(
    "cells",
    [
        rng.choice(["yes", "no"], N),
        rng.choice(["Yes", "no", "YES"], N),
        rng.choice(["low", "mid", "high"], N),
        rng.choice(["0", "1"], N),
        rng.choice(["0.0", "1.0"], N),
        rng.choice(["1,5", "2,5", "7,25"], N),
        rng.choice(["1.234", "2.345", "3.456"], N),
        rng.choice(["02/03/2024", "04/05/2024"], N),
        rng.choice(["10 %", "20 %", "0.3"], N),
        rng.choice(["007", "7", "11"], N),
        np.where(np.arange(N) < 2, "?", STARS.astype(str)),
        np.where(np.arange(N) < 2, "1e300", STARS.astype(str)),
        np.where(np.arange(N) < 2, "", STARS.astype(str)),
        np.array([f"${k * 1000:,}" for k in rng.integers(1, 900, N)]),
    ],
    ids=lambda cells: f"{cells[0]}-{cells[-1]}",
)
@pytest.mark.parametrize("are_classes", [True, False], ids=["classes", "any"])
def test_a_column_read_anew_is_as_it_is_in_a_table_settled_anew(tmp_path, cells, are_classes):
    others = {"day": rng.choice(["02/03/2024", "04/05/2024"], N), "word": rng.choice(["Red", "red"], N)}
    table = rows(other=rng.choice(["1.234", "2.345"], N), what=cells, **others)
    table.to_csv(path := tmp_path / "t.csv", index=False)
    named = ("what",)
    first = settle_reading(path, () if are_classes else named)
    anew = settle_reading(path, named if are_classes else ())
    found = settle_again(path, first, "what", are_classes=are_classes)
    assert found.reading == anew.reading
    assert found.frame.equals(anew.frame)
    assert list(found.frame.dtypes) == list(anew.frame.dtypes)
    assert (found.choices, found.notes, found.unreadable) == (anew.choices, anew.notes, anew.unreadable)
