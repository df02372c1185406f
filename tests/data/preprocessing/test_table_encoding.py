import numpy as np
import pandas as pd
import pytest

from layerwise.data import DataError, PreprocessingSettings, Problem, ReadingSettings, Split
from layerwise.data.preprocessing import decode, encode, encode_parts, fit_encoding, unlearnable_columns
from layerwise.data.preprocessing.encoded_columns import decode_number, encode_number, fit_modes
from layerwise.data.reading.cells import read_table


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(0)
    n = 600
    balance = np.where(rng.random(n) < 0.35, 0.0, np.round(rng.normal(120_000, 30_000, n), 2))
    income = np.round(np.where(rng.random(n) < 0.5, rng.normal(20, 1, n), rng.normal(80, 5, n)), 1)
    return pd.DataFrame(
        {
            "id": np.arange(n),
            "balance": balance,
            "income": np.where(rng.random(n) < 0.1, np.nan, income),
            "age": rng.integers(18, 90, n),
            "products": rng.integers(1, 5, n),
            "active": rng.random(n) < 0.5,
            "country": pd.Series(rng.choice(["France", "Spain", "Germany"], n)).where(
                rng.random(n) < 0.95, None
            ),
            "since": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, n), unit="D"),
            "exited": (rng.random(n) < 0.2).astype(int),
        }
    )


@pytest.fixture(scope="module")
def encoding(frame):
    problem = Problem(name="bank", task="binary", target="exited", drop=("id",))
    return fit_encoding(frame, np.arange(500), problem, PreprocessingSettings(), 10, seed=0)


def test_rows_come_back_in_their_columns_types_and_values(frame, encoding):
    back = decode(encode(frame, encoding, seed=0), encoding)
    kept = frame.drop(columns="id")
    assert list(back) == list(kept)
    assert back.dtypes.to_dict() == kept.dtypes.to_dict()
    for name in ("age", "products", "active", "exited", "country", "since"):
        pd.testing.assert_series_equal(back[name], kept[name], check_names=False)
    inside = kept["balance"].between(*np.quantile(kept["balance"], [0, 0.98]))
    np.testing.assert_allclose(back["balance"][inside], kept["balance"][inside], atol=0.011)
    assert back["income"].isna().equals(kept["income"].isna())


def test_a_value_that_stands_out_is_a_mode_of_its_own(encoding):
    modes = next(column.modes for column in encoding.columns if column.name == "balance")
    assert modes.atoms == (0.0,)
    assert modes.decimals == 2
    assert decode_number(np.array([0.7]), np.array([0]), modes)[0] == 0


def test_the_modes_of_a_mixture_are_found():
    rng = np.random.default_rng(1)
    values = np.concatenate([rng.normal(-5, 0.5, 2000), rng.normal(5, 1, 1000)])
    modes = fit_modes(values, 10, seed=0)
    for mean, std, weight in ((-5, 0.5, 2 / 3), (5, 1, 1 / 3)):
        near = [k for k, m in enumerate(modes.means) if abs(m - mean) < 3 * std]
        assert sum(modes.weights[k] for k in near) == pytest.approx(weight, abs=0.03)
        largest = max(near, key=lambda k: modes.weights[k])
        assert modes.means[largest] == pytest.approx(mean, abs=0.4)


def test_a_values_mode_is_drawn_from_its_posterior():
    modes = fit_modes(np.linspace(0, 1, 50), 1, seed=0).model_copy(
        update={"means": (0.0, 1.0), "stds": (1.0, 1.0), "weights": (0.5, 0.5), "atoms": ()}
    )
    x = np.full(20_000, 0.2)
    _, mode = encode_number(x, modes, np.random.default_rng(0))
    densities = np.exp(-0.5 * np.array([0.2**2, 0.8**2]))
    expected = densities[1] / densities.sum()
    assert mode.mean() == pytest.approx(expected, abs=4 * np.sqrt(expected * (1 - expected) / len(x)))


def test_a_value_within_a_mode_is_in_units_of_four_standard_deviations():
    modes = fit_modes(np.linspace(0, 1, 50), 1, seed=0).model_copy(
        update={
            "means": (2.0,),
            "stds": (0.5,),
            "weights": (1.0,),
            "atoms": (),
            "low": -9.0,
            "high": 9.0,
        }
    )
    normalized, mode = encode_number(np.array([2.0, 3.0, 1.5, 99.0]), modes, np.random.default_rng(0))
    np.testing.assert_allclose(normalized, [0, 0.5, -0.25, 0.99])
    assert mode.tolist() == [0] * 4
    np.testing.assert_allclose(decode_number(normalized[:3], mode[:3], modes), [2, 3, 1.5], atol=1e-6)


def test_generated_values_stay_within_those_that_were_seen(encoding):
    rng = np.random.default_rng(2)
    rows = decode(rng.uniform(-1, 1, (400, encoding.width)), encoding)
    assert rows["age"].between(18, 89).all()
    assert rows["balance"].min() >= 0
    assert set(rows["country"].dropna()) <= {"France", "Spain", "Germany"}


def test_nothing_is_learnt_from_rows_beyond_the_training_ones(frame, encoding):
    changed = frame.copy()
    changed.loc[500:, "balance"] = 1e9
    problem = Problem(name="bank", task="binary", target="exited", drop=("id",))
    assert fit_encoding(changed, np.arange(500), problem, PreprocessingSettings(), 10, seed=0) == encoding


def test_what_cannot_be_learnt_is_left_out_with_its_reason_unless_it_is_the_target(frame):
    problem = Problem(name="bank", task="binary", target="exited", drop=("id",))
    rows, settings = np.arange(500), PreprocessingSettings()
    n = len(frame)
    more = frame.assign(
        name=[f"n{k}" for k in range(n)],
        void=np.nan,
        place=[f"place {k % 60}" for k in range(n)],
        code=[f"c{k % 50}" for k in range(n)],
        row_number=np.arange(n) + 7,
    )
    assert unlearnable_columns(more, rows, problem, settings) == {
        "name": "has a value of its own in nearly every row",
        "void": "is empty in every training row",
        "place": "has 60 categories in 500 rows, too many to learn",
        "row_number": "has a value of its own in nearly every row",
    }
    found = fit_encoding(more, rows, problem, settings, 10, seed=0)
    assert {column.name for column in found.columns} == {*frame, "code"} - {"id"}
    other = problem.model_copy(update={"target": "name"})
    with pytest.raises(DataError, match="the target 'name' has 500 categories in 500 rows"):
        fit_encoding(more, rows, other, settings, 10, seed=0)


def test_a_category_that_no_training_row_has_is_named(frame):
    problem = Problem(name="bank", task="binary", target="exited", drop=("id",))
    rows = np.arange(500)
    encoding = fit_encoding(frame, rows, problem, PreprocessingSettings(), 10, seed=0)
    with pytest.raises(DataError, match="'country' holds 'Italy'"):
        encode(frame.assign(country="Italy"), encoding, seed=0)


def test_two_numbers_in_a_cell_are_two_columns_of_a_generator():
    rng = np.random.default_rng(2)
    n = 400
    pressures = [f"{a}/{b}" for a, b in zip(rng.integers(90, 180, n), rng.integers(50, 110, n), strict=True)]
    pressures[7] = None
    goals = [f"{a}/{b}" for a, b in rng.integers(0, 5, (n, 2))]
    frame = pd.DataFrame({"bp": pressures, "goals": goals, "kept": rng.choice(["yes", "no"], n)})
    settings = ReadingSettings(columns={"bp": "pair", "goals": "pair"})
    problem = Problem(name="p", task="binary", target="kept", reading=settings)
    rows = read_table(frame, problem, PreprocessingSettings())
    encoding = fit_encoding(rows, np.arange(300), problem, PreprocessingSettings(), 10, seed=0)
    assert [column.name for column in encoding.columns] == [
        "bp_first", "bp_second", "goals_first", "goals_second", "kept",
    ]  # fmt: skip
    assert encoding.raw_names == ["bp", "goals", "kept"]
    assert [column.modes is not None for column in encoding.columns] == [True, True, False, False, False]
    back = decode(encode(rows, encoding, seed=0), encoding)
    assert back["goals"].tolist() == rows["goals"].tolist()
    assert back["bp"].isna().tolist() == rows["bp"].isna().tolist()
    known = back["bp"].dropna()
    drawn = np.array([each.split("/") for each in known], dtype=float)
    true = np.array([each.split("/") for each in rows["bp"].dropna()], dtype=float)
    # Of the first three modes each number is restored to its own whole one; the range is that of training.
    assert np.mean(drawn == true) > 0.95
    noise = decode(rng.normal(0, 3, (500, encoding.width)), encoding)["bp"].dropna()
    drawn = np.array([each.split("/") for each in noise], dtype=float)
    low, high = true[: 300 - 1].min(0), true[: 300 - 1].max(0)
    assert (drawn >= low).all()
    assert (drawn <= high).all()


def test_validation_rows_of_unknown_categories_alone_are_refused():
    table = pd.DataFrame({"town": list("aabbcd"), "weight": [1.5, 2.25, 1.5, 2.0, 3.0, 3.5]})
    split = Split(training=np.arange(4), validation=np.arange(4, 6), test=np.arange(0))
    problem = Problem(name="towns", task="binary")
    with pytest.raises(
        DataError, match="each of the 2 validation rows has a category that no training row has"
    ):
        encode_parts(table, split, problem, PreprocessingSettings(), 2, seed=0)
