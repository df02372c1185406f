import numpy as np

from layerwise.data.preprocessing import OTHERS, image_features
from layerwise.data.preprocessing.summaries import (
    POINTS,
    summarize_numbers,
    summarize_table,
    summarize_values,
)


def test_the_fractions_are_the_distribution_function_at_the_points():
    values = np.random.default_rng(0).normal(size=5000)
    found = summarize_numbers(values)
    points, fractions = np.array(found["points"]), np.array(found["fractions"])
    assert len(points) <= POINTS
    np.testing.assert_allclose(fractions, [(values <= point).mean() for point in points])
    assert (points[0], points[-1]) == (values.min(), values.max())


def test_few_distinct_values_are_all_points_and_empty_cells_are_counted_apart():
    found = summarize_numbers(np.array([1.0, 1.0, 2.0, np.nan]))
    assert found["points"] == [1.0, 2.0]
    np.testing.assert_allclose(found["fractions"], [2 / 3, 1])
    assert found["missing"] == 0.25


def test_rare_values_of_a_long_list_are_counted_together():
    found = summarize_values([str(k) for k in range(60)] + ["0"] * 40, missing=100)
    assert found["fractions"]["0"] == 0.41
    assert found["fractions"][OTHERS] == 0.1
    assert abs(sum(found["fractions"].values()) - 1) < 1e-12
    assert found["missing"] == 0.5


def test_a_table_is_summarized_by_its_columns_kinds(tables):
    frame = tables.table()
    preprocessor = tables.fitted(frame)
    found = summarize_table(preprocessor.read(frame), preprocessor.state["kinds"])["columns"]
    assert found["city"]["fractions"].keys() == {"rome", "oslo"}
    assert found["active"]["fractions"].keys() == {"0", "1"}
    assert found["since"]["kind"] == "number"
    np.testing.assert_allclose(found["income"]["missing"], frame["income"].isna().mean())


def test_an_image_is_summarized_by_the_brightness_of_its_cells():
    pixels = np.zeros((1, 6, 6), np.uint8)
    pixels[0, :2, 4:] = 255
    found = image_features(pixels)
    assert found["cell_0_2"][0] == 1
    assert sum(values[0] for name, values in found.items() if name.startswith("cell")) == 1
    np.testing.assert_allclose(found["brightness"], 4 / 36, rtol=1e-6)
