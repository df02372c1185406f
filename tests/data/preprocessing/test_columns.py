import numpy as np
import pandas as pd
import pytest

from layerwise.data.preprocessing import class_text, class_texts
from layerwise.data.preprocessing.columns import fill_text, flags_of


@pytest.mark.parametrize(
    "column",
    [
        pd.Series(["b", "a", None, "2.0"], dtype="str"),
        pd.Series([3, 1, 3]),
        pd.Series([2.0, np.nan, 2.5, -0.0]),
        pd.Series([True, False]),
        pd.Series([1, True, 2.0, "x", None], dtype=object),
        pd.Series(["b", "a", None], dtype="category"),
        pd.Series(pd.to_datetime(["2022-01-05", None])),
    ],
    ids=["text", "integers", "floats", "booleans", "mixed", "category", "dates"],
)
def test_the_names_of_a_columns_classes_are_those_of_its_cells_one_by_one(column):
    found = class_texts(column)
    assert found.index.equals(column.index)
    for cell, name in zip(column.astype(object), found, strict=True):
        assert pd.isna(name) if pd.isna(cell) else name == class_text(cell)


def test_an_empty_category_is_filled_with_the_text_that_is_given():
    frame = pd.DataFrame({"city": pd.Series(["rome", None], dtype="str"), "floor": [2.0, np.nan]})
    filled = fill_text(frame, {"city": "oslo", "floor": "1"})
    assert filled.to_dict("list") == {"city": ["rome", "oslo"], "floor": ["2", "1"]}


def test_an_empty_flag_is_the_mode_and_another_value_is_clipped_with_a_warning():
    with pytest.warns(
        UserWarning, match=r"column 'on' held only 0 and 1 in training, and 1 row\(s\) .*such as 3"
    ):
        found = flags_of(pd.Series([0.0, 1.0, np.nan, 3.0], name="on"), 1.0)
    np.testing.assert_array_equal(found, [0, 1, 1, 1])
