import hashlib
from pathlib import Path

import pandas as pd
import pytest

from layerwise.data import (
    DataError,
    PreprocessingSettings,
    Problem,
    SplitSettings,
    classic_csv,
    classic_table,
    split_raw,
)
from layerwise.data.derivations import add_size_category
from layerwise.data.preprocessing import fit_preprocessor

FILE = Path(__file__).parents[2] / "data/01_raw/forest_fires/forestfires_uci.csv"
CLASSIC = "d47c00d4353138f3d670256ea2f708fd220f0a2ebf4f7d9e661573a7efba1321"


@pytest.fixture
def fires():
    return pd.read_csv(FILE)


def size_problem(**values):
    return Problem(
        name="fires",
        task="binary",
        target="size_category",
        derive="forest_fires_size",
        positive="large",
        **values,
    )


def test_large_is_above_six_hectares():
    frame = add_size_category(pd.DataFrame({"area": [0, 6, 6.01]}))
    assert frame["size_category"].tolist() == ["small", "small", "large"]


def test_the_classic_table_has_the_bytes_of_the_file_in_circulation(fires):
    assert classic_table(fires).shape == (517, 31)
    assert hashlib.sha256(classic_csv(fires)).hexdigest() == CLASSIC


@pytest.mark.parametrize("seed", range(5))
def test_area_is_refused_as_an_input_of_the_class_that_it_decides(fires, seed):
    split = split_raw(fires, size_problem(), SplitSettings(), seed)
    with pytest.raises(DataError, match="'area'"):
        fit_preprocessor(fires, split, size_problem(), PreprocessingSettings(), seed)


def test_the_class_is_learnt_without_area_and_predicted_without_it(fires):
    problem = size_problem(drop=("area",))
    split = split_raw(fires, problem, SplitSettings(), 0)
    with pytest.warns(UserWarning, match="3 of 104 test rows repeat a training row's inputs"):
        fitted = fit_preprocessor(fires, split, problem, PreprocessingSettings(), 0)
    assert not any("area" in name for name in fitted.data_spec.feature_names)
    assert fitted.data_spec.class_names == ("small", "large")
    assert fitted.targets(fires).sum() == fires["area"].gt(6).sum()
    assert fitted.inputs(fires.drop(columns="area")).shape == (517, fitted.data_spec.n_inputs)


def test_the_exercises_columns_are_made_of_their_own_table_alone(fires):
    problem = Problem(name="other", task="regression", target="y", derive="forest_fires_classic")
    other = pd.DataFrame({"day": ["fri"], "X": [1], "y": [2.0]})
    with pytest.raises(DataError, match=r"forest fires table, and this one has no Y, month, area; leave out"):
        split_raw(other, problem, SplitSettings(), 0)
