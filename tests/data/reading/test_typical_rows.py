import numpy as np
import pandas as pd
from helpers.tables import fitted, table

from layerwise.data.reading import typical_inputs


def test_made_up_rows_have_the_columns_distributions_and_are_no_training_rows():
    frame = table(400)
    preprocessor = fitted(frame)
    found = typical_inputs(preprocessor, 200, seed=0)
    real = preprocessor.inputs(frame)
    names = preprocessor.data_spec.feature_names
    assert found.shape == (200, len(names))
    np.testing.assert_allclose(found.mean(0), real.mean(0), atol=0.25)
    kinds = {block.name: block for block in preprocessor.data_spec.blocks}
    for name in ("age", "score"):
        k = kinds[name].start
        np.testing.assert_allclose(
            np.quantile(found[:, k], [0.1, 0.5, 0.9]), np.quantile(real[:, k], [0.1, 0.5, 0.9]), atol=0.2
        )
    assert not {row.tobytes() for row in found} & {row.tobytes() for row in real}


def test_the_seed_decides_the_rows():
    preprocessor = fitted(table())
    first, again, other = (typical_inputs(preprocessor, 8, seed) for seed in (0, 0, 1))
    assert (first == again).all()
    assert (first != other).any()


def test_what_is_empty_in_training_is_as_often_empty():
    frame = table(400)
    preprocessor = fitted(frame)
    found = typical_inputs(preprocessor, 100, seed=0)
    indicator = next(block for block in preprocessor.data_spec.blocks if block.is_indicator)
    part = float(frame["income"].isna().mean())
    assert abs(found[:, indicator.start].mean() - part) < 0.05


def test_a_number_is_drawn_once_of_each_equal_part_of_its_distribution():
    frame = table(400).assign(age=np.arange(400) / 4)
    preprocessor = fitted(frame)
    found = typical_inputs(preprocessor, 10, seed=3)
    k = next(block.start for block in preprocessor.data_spec.blocks if block.name == "age")
    raw = preprocessor.restore_inputs(found)["age"]
    tenths = pd.cut(raw, np.linspace(0, 100, 11), labels=False)
    assert len(set(np.round(found[:, k], 3))) == 10
    assert tenths.nunique() >= 9
