"""Rows that are drawn keep the rules."""

import numpy as np
import pandas as pd
import pytest

from layerwise.data import DataError
from layerwise.data.row_rules import Combinations, RowRules, draw_by_rules

TOGETHER = Combinations(
    columns=("city", "country"), rows=(("Rome", "Italy"), ("Paris", "France"), ("Lyon", "France"))
)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def uniform(rng, columns):
    """Draws numbers of 0 to 99 in each column."""
    return lambda at: pd.DataFrame({name: rng.integers(0, 100, len(at)) for name in columns})


def places(rng):
    def draw(at):
        return pd.DataFrame(
            {
                "city": rng.choice(["Rome", "Paris", "Lyon"], len(at)),
                "country": rng.choice(["Italy", "France"], len(at)),
            }
        )

    return draw


def broken(rules, frame):
    return sum(int(rows.sum()) for _, rows in rules.broken(frame))


def test_rows_are_drawn_again_until_they_keep_the_rule(rng):
    rules = RowRules(at_most=(("a", "b"),))
    found = draw_by_rules(rules, uniform(rng, "ab"), 4000, seed=0)
    assert broken(rules, found) == 0
    assert list(found.index) == list(range(4000))
    # Of rows with a <= b the smaller one of two uniform numbers has the mean 33.
    assert found["a"].mean() == pytest.approx(33, abs=2)


def test_without_rules_rows_are_drawn_once(rng):
    calls = []

    def draw(at):
        calls.append(len(at))
        return uniform(rng, "ab")(at)

    rules = RowRules(at_most=(("a", "elsewhere"),))
    draw_by_rules(rules, draw, 10, seed=0)
    assert calls == [10]


def test_what_always_breaks_a_rule_is_changed_as_little_as_the_rule_asks():
    rules = RowRules(at_most=(("a", "b"), ("b", "c")))

    def draw(at):
        return pd.DataFrame({"a": [5.5] * len(at), "b": [3] * len(at), "c": [9] * len(at)})

    found = draw_by_rules(rules, draw, 3, seed=0)
    assert found.to_numpy().tolist() == [[5.5, 6, 9]] * 3
    assert found["b"].dtype == np.int64


def test_given_cells_stay_and_the_others_move():
    rules = RowRules(at_most=(("a", "b"),))
    given = pd.DataFrame({"a": [False, True], "b": [True, False]})

    def draw(at):
        return pd.DataFrame({"a": [7, 7], "b": [2, 2]}).iloc[at]

    found = draw_by_rules(rules, draw, 2, 0, given)
    assert found.to_numpy().tolist() == [[2, 2], [7, 7]]


def test_dates_that_are_texts_are_raised_to_the_earlier_ones():
    rules = RowRules(at_most=(("from", "to"),))

    def draw(at):
        return pd.DataFrame({"from": ["2024-05-02"] * len(at), "to": ["2023-01-01"] * len(at)})

    assert draw_by_rules(rules, draw, 2, seed=0)["to"].tolist() == ["2024-05-02"] * 2


def test_values_stand_together_as_in_training(rng):
    rules = RowRules(combinations=(TOGETHER,))
    found = draw_by_rules(rules, places(rng), 300, seed=0)
    assert set(map(tuple, found.to_numpy())) == set(TOGETHER.rows)


def test_values_that_never_come_together_take_the_others_of_the_first_column():
    rules = RowRules(combinations=(TOGETHER,))

    def draw(at):
        return pd.DataFrame({"city": ["Rome"] * len(at), "country": ["France"] * len(at)})

    assert draw_by_rules(rules, draw, 2, seed=0)["country"].tolist() == ["Italy"] * 2
    given = pd.DataFrame({"city": [False] * 2, "country": [True] * 2})
    found = draw_by_rules(rules, draw, 2, 0, given)
    assert set(found["city"]) <= {"Paris", "Lyon"}
    assert found["country"].tolist() == ["France"] * 2


def test_numbers_and_empty_cells_stand_together_in_their_own_type():
    both = Combinations(columns=("kind", "size"), rows=(("a", "1"), ("b", "")))

    def draw(at):
        return pd.DataFrame({"kind": ["a", "b"], "size": [np.nan, 1.0]}).iloc[at]

    found = draw_by_rules(RowRules(combinations=(both,)), draw, 2, seed=0)
    assert found["size"].isna().tolist() == [False, True]
    assert found["size"].iloc[0] == 1.0


def test_keys_are_drawn_until_no_two_rows_have_one(rng):
    rules = RowRules(unique=("key",))
    found = draw_by_rules(rules, uniform(rng, ["key"]), 40, seed=0)
    assert found["key"].is_unique
    with pytest.raises(DataError, match="rows that were drawn have the key of another"):
        draw_by_rules(rules, uniform(rng, ["key"]), 300, seed=0)


def test_the_same_seed_draws_the_same():
    rules = RowRules(at_most=(("a", "b"),), combinations=(TOGETHER,))

    def drawn():
        rng = np.random.default_rng(3)

        def draw(at):
            return uniform(rng, "ab")(at).join(places(rng)(at))

        return draw_by_rules(rules, draw, 50, seed=1)

    pd.testing.assert_frame_equal(drawn(), drawn())
