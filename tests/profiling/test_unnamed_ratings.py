"""Ratings in files without names of columns, as MovieLens writes them."""

import numpy as np
import pytest

from layerwise.profiling import propose_problem

N = 600


@pytest.fixture
def ratings():
    rng = np.random.default_rng(0)
    pairs = rng.choice(60 * 40, N, replace=False)
    times = 881_250_949 + rng.integers(0, 10**6, N)
    return np.column_stack([pairs // 40 + 1, pairs % 40 * 7, rng.integers(1, 6, N), times])


def propose(folder, rows, mark):
    path = folder / "u.data"
    path.write_text("".join(mark.join(map(str, row)) + "\n" for row in rows))
    return propose_problem("mine", path, folder).proposal


@pytest.mark.parametrize("mark", ["\t", "::", ","])
@pytest.mark.parametrize("n_columns", [3, 4])
def test_codes_that_come_again_beside_few_values_are_ratings(tmp_path, ratings, mark, n_columns):
    found = propose(tmp_path, ratings[:, :n_columns], mark)
    assert found.value("problem.task") == "ratings"
    roles = ("user", "item", "rating", "time")[:n_columns]
    assert found.entry["columns"] == {role: f"column {k + 1}" for k, role in enumerate(roles)}
    assert any("600 ratings of 40 items by 60 users, from 1 to 5" in each for each in found.findings)


def test_other_numbers_without_names_stay_a_table(tmp_path, ratings):
    rng = np.random.default_rng(1)
    others = {
        "measurements": np.column_stack([ratings[:, :2] + 0.5, ratings[:, 2]]),
        "a full grid": np.array([(a, b, (a + b) % 5) for a in range(20) for b in range(20)]),
        "no times": np.column_stack([ratings[:, :3], rng.integers(0, 9, N)]),
        "two classes": np.column_stack([ratings[:, :2], ratings[:, 2] > 3]).astype(int),
        "ids": np.column_stack([np.arange(N), ratings[:, 1:3]]),
    }
    for name, rows in others.items():
        assert propose(tmp_path, rows, ",").value("problem.task") != "ratings", name
