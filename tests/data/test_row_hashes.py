"""The split in which each row's part follows from its own cells."""

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from layerwise.data import DataError, Problem, SplitSettings
from layerwise.data.row_hashes import row_hashes, uniform_of
from layerwise.data.splits import split_raw

N = 20_000
PROBLEM = Problem(name="x", task="binary", target="y", drop=("row",))
HASH = SplitSettings(method="hash")


def table(n=N):
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "row": np.arange(n),
            "a": rng.normal(size=n),
            "b": rng.integers(0, 5, n),
            "word": rng.choice(["red", "green", "blue"], n),
            "when": np.datetime64("2020-01-01") + rng.integers(0, 900, n).astype("timedelta64[D]"),
            "house": rng.integers(0, 3000, n),
            "y": rng.integers(0, 2, n),
        }
    )


def parts(frame, settings=HASH, seed=0):
    """The part of each row, by the number that `row` gives it."""
    split = split_raw(frame, PROBLEM, settings, seed)
    named = {name: getattr(split, name) for name in ("training", "validation", "test")}
    assert sorted(np.concatenate(list(named.values()))) == list(range(len(frame)))
    return {int(row): name for name, rows in named.items() for row in frame["row"].iloc[rows]}


def test_the_parts_have_the_fractions_that_are_asked_for():
    counts = pd.Series(parts(table())).value_counts() / N
    # Five standard deviations of a fraction of so many rows.
    for name, fraction in (("test", 0.2), ("validation", 0.08), ("training", 0.72)):
        assert abs(counts[name] - fraction) < 5 * np.sqrt(fraction * (1 - fraction) / N)


def test_a_row_stays_in_its_part_among_others_in_another_order_and_type():
    frame = table()
    every = parts(frame)
    few = frame.sample(2000, random_state=1)
    assert parts(few) == {row: every[row] for row in few["row"]}
    stored = few.astype({"b": "float64", "y": "int8", "house": "Int64", "word": object})
    assert parts(stored) == parts(few)


def test_rows_with_equal_inputs_are_in_one_part_whatever_their_target_is():
    frame = table(4000)
    again = frame.assign(row=frame["row"] + 4000, y=1 - frame["y"])
    found = parts(pd.concat([frame, again], ignore_index=True))
    assert all(found[row] == found[row + 4000] for row in range(4000))


def test_a_group_is_in_one_part_and_no_input():
    frame = table()
    settings = SplitSettings(method="hash", groups="house")
    assert split_raw(frame, PROBLEM, settings, 0).not_inputs == ("house",)
    found = parts(frame, settings)
    assert frame["row"].map(found).groupby(frame["house"]).nunique().max() == 1


def test_another_seed_gives_another_split_and_the_split_s_own_goes_before_the_runs():
    frame = table(3000)
    first, second = pd.Series(parts(frame, seed=0)), pd.Series(parts(frame, seed=1))
    # Of two independent splits as many rows agree.
    assert abs((first.sort_index() == second.sort_index()).mean() - (0.2**2 + 0.08**2 + 0.72**2)) < 0.05
    own = SplitSettings(method="hash", seed=5)
    assert parts(frame, own, 0) == parts(frame, own, 1)


def test_the_places_of_rows_are_uniform_and_those_of_two_seeds_independent():
    hashes = row_hashes(pd.DataFrame({"a": np.arange(100_000.0)}), ["a"])
    first, second = uniform_of(hashes, 3), uniform_of(hashes, 4)
    grid = np.histogram2d(first, second, bins=10, range=[[0, 1], [0, 1]])[0]
    # Chi-squared with 99 degrees of freedom: mean 99, standard deviation 14.
    assert ((grid - 1000) ** 2 / 1000).sum() < 99 + 5 * 14


def test_where_a_row_belongs_never_changes():
    """A model that is trained again next year keeps its test rows: these places are fixed for good."""
    frame = pd.DataFrame({"a": [1.5, -2.0, np.nan], "word": ["red", "", None], "b": [1, 2, 3]})
    assert uniform_of(row_hashes(frame, frame), 7).round(6).tolist() == [0.999427, 0.906418, 0.932151]


@pytest.mark.parametrize(
    "settings",
    [{"test_rows": 5}, {"validation_rows": 5}, {"validation_tail": True}, {"time": "when"}, {"folds": 3}],
)
def test_settings_that_number_the_rows_are_refused_beside_it(settings):
    with pytest.raises(ValidationError, match=f"no use for {next(iter(settings))}"):
        SplitSettings(method="hash", **settings)


def test_rows_that_are_too_alike_are_refused():
    frame = table(100).assign(a=0.0, b=0, word="red", when=pd.Timestamp("2020-01-01"), house=1)
    with pytest.raises(DataError, match=r"leaves no .* row of 100 rows.*set split.method: sampled"):
        split_raw(frame, PROBLEM, HASH, 0)
    with pytest.raises(DataError, match="one class only"):
        split_raw(table(100).assign(y=1), PROBLEM, HASH, 0)


def test_images_have_no_cells():
    from layerwise.data.sources import Images

    images = Images(np.zeros((10, 4, 4), np.uint8), np.arange(10) % 2)
    with pytest.raises(DataError, match="cells of a table"):
        split_raw(images, Problem(name="x", task="multiclass"), HASH, 0)


def test_rows_without_a_target_have_no_classes_to_be_checked():
    split = split_raw(table(1000), PROBLEM.model_copy(update={"target": ""}), HASH, 0)
    assert len(split.training) + len(split.validation) + len(split.test) == 1000
