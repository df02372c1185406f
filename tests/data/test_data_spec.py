import pytest

from layerwise.data import ColumnBlock, DataSpec


def spec(*blocks, **more):
    return DataSpec(
        task="regression",
        n_inputs=9,
        n_outputs=1,
        feature_names=(),
        blocks=blocks,
        target_names=("y",),
        **more,
    )


AGE = ColumnBlock(name="Age", kind="real", start=0, stop=1)
LAND = ColumnBlock(name="Land", kind="categorical", start=1, stop=3, categories=("A", "B"))


@pytest.mark.parametrize(
    ("own", "other", "difference"),
    [
        (spec(AGE, LAND), spec(AGE, LAND, n_training=7), ""),
        (spec(AGE), spec(AGE, LAND), "it reads a column 'Land', and these rows have none"),
        (spec(AGE, LAND), spec(AGE), "it does not read the column 'Land'"),
        (
            spec(AGE, LAND),
            spec(AGE, LAND.model_copy(update={"categories": ("A", "C")})),
            "its column 'Land' is categorical (A, C), and here it is categorical (A, B)",
        ),
        (
            spec(AGE),
            spec(AGE.model_copy(update={"kind": "binary"})),
            "its column 'Age' is binary, and here it is real",
        ),
        (
            spec(AGE, LAND),
            spec(AGE.model_copy(update={"start": 2, "stop": 3}), LAND),
            "its column 'Age' stands elsewhere",
        ),
        (spec(image_shape=(8, 8)), spec(image_shape=(8, 8)), ""),
        (
            spec(image_shape=(8, 8)),
            spec(image_shape=(28, 28)),
            "it reads 28 x 28 pixels, and these rows have 8 x 8 pixels",
        ),
        (spec(AGE), spec(image_shape=(8, 8)), "it reads 8 x 8 pixels, and these rows have no images"),
    ],
)
def test_the_first_difference_between_columns_is_said(own, other, difference):
    assert own.difference_of_inputs(other) == difference
