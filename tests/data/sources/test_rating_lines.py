import pandas as pd
import pytest

from layerwise.data.sources import RatingLines, RatingsPreprocessor

COLUMNS = ["reader", "isbn", "stars"]


def lines_of(titles=("Alpha", "Beta"), columns=COLUMNS):
    return RatingLines(
        RatingsPreprocessor(
            {
                "columns": columns,
                "levels": [1.0, 2.5],
                "item_ids": [str(10 + k) for k in range(len(titles))],
                "titles": list(titles),
                "data_spec": {
                    "task": "ratings",
                    "n_inputs": 0,
                    "n_outputs": 0,
                    "feature_names": [],
                    "blocks": [],
                    "target_names": [],
                },
            }
        )
    )


@pytest.mark.parametrize(
    "names",
    [
        COLUMNS,
        ["user", "item", "rating"],
        ["userId", " Movie", "Score"],
        ["column 1", "column 2", "column 3"],
    ],
)
def test_columns_are_found_by_the_names_of_training_or_by_what_such_columns_are_called(names):
    found = lines_of().read(pd.DataFrame([["u", "10", "1"]], columns=names))
    assert found.to_dict("records") == [{"user": "u", "item": "10", "rating": "1"}]


def test_the_name_of_training_comes_before_one_that_is_only_alike():
    found = lines_of().read(pd.DataFrame({"item number": ["x"], "isbn": ["10"], "rating": [1]}))
    assert found.to_dict("records") == [{"user": "", "item": "10", "rating": "1"}]


def test_cells_of_every_type_are_text_and_missing_ones_are_empty():
    frame = pd.DataFrame(
        {
            "user": [1.0, None],
            "item": pd.array([10, None], dtype="Int64"),
            "rating": pd.Series([" 2.5 ", None], dtype=object),
        }
    )
    found = lines_of().read(frame)
    assert found.values.tolist() == [["1", "10", "2.5"], ["", "", ""]]


def test_what_cannot_be_seen_around_a_name_is_left_out():
    found = lines_of().read(
        pd.DataFrame({"user": ["\u200bu"], "item": ["10\ufeff"], "rating": ["2.5\u00a0"]})
    )
    assert found.values.tolist() == [["u", "10", "2.5"]]
