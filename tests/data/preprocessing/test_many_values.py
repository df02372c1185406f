"""Columns of many values: identifiers left out, free text and many categories in a few numbers, kept without pickle."""

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import TargetEncoder

from layerwise.data import DataError, PreprocessingSettings, Problem, Split
from layerwise.data.preprocessing import (
    fit_preprocessor,
    load_preprocessor,
    preprocess_rows,
    save_preprocessor,
)
from layerwise.data.reading import ReadingSettings, validate_rows
from layerwise.data.reading.cells import fit_reading
from layerwise.profiling.columns import profile_columns

N, TRAIN = 600, 480
WORDS = ["door", "late", "blue", "quick", "call", "rain", "broken", "again", "fine", "box"]
PROBLEM = Problem(name="orders", task="binary", target="late")
SPLIT = Split(training=np.arange(TRAIN), validation=np.arange(TRAIN, 540), test=np.arange(540, N))


def orders(seed=0):
    """Orders with an identifier, a comment in free text, 80 shops and a number; late ones come from the later shops."""
    rng = np.random.default_rng(seed)
    shop = rng.integers(0, 80, N)
    return pd.DataFrame(
        {
            "order_id": [f"ORD-{k:06}" for k in range(N)],
            "comment": [f"{' '.join(rng.choice(WORDS, 6))} {k}" for k in range(N)],
            "shop": [f"shop {k}" for k in shop],
            "age": rng.normal(50, 10, N).round(1),
            "late": np.where(rng.random(N) < shop / 80, "yes", "no"),
        }
    )


def fitted(frame=None, task="binary", **settings):
    problem = PROBLEM.model_copy(update={"task": task})
    settings = PreprocessingSettings(**{"text_components": 5, "scaling": "none"} | settings)
    return fit_preprocessor(orders() if frame is None else frame, SPLIT, problem, settings, 0)


def test_identifiers_are_left_out_and_text_and_shops_are_a_few_numbers():
    preprocessor = fitted()
    names = preprocessor.data_spec.feature_names
    assert names == ("age", "shop_mean", *(f"comment_{k}" for k in range(5)))
    notes = " ".join(preprocessor.data_spec.notes)
    assert "Column 'order_id' has a value of its own in nearly every row" in notes
    assert "Column 'comment' is free text, and becomes 5 numbers" in notes
    assert "Column 'shop' has 80 values" in notes
    assert {b.name: b.raw for b in preprocessor.data_spec.blocks}["shop_mean"] == "shop"


def test_rows_are_taken_with_and_without_the_columns_that_were_left_out():
    preprocessor, frame = fitted(), orders()
    np.testing.assert_array_equal(
        preprocessor.inputs(frame), preprocessor.inputs(frame.drop(columns=["order_id", "late"]))
    )


def test_training_rows_are_encoded_by_other_folds_as_scikit_learn_does_and_new_rows_by_all():
    preprocessor, frame = fitted(), orders()
    training, validation, _ = preprocess_rows(frame, SPLIT, preprocessor)
    encoder = TargetEncoder(target_type="binary", cv=StratifiedKFold(5, shuffle=True, random_state=0))
    cells, target = frame[["shop"]].to_numpy(object), frame["late"].to_numpy(str)
    expected = encoder.fit_transform(cells[:TRAIN], target[:TRAIN])[:, 0]
    np.testing.assert_allclose(training.inputs[:, 1], expected, rtol=1e-6)
    np.testing.assert_allclose(validation.inputs[:, 1], encoder.transform(cells[TRAIN:540])[:, 0], rtol=1e-6)
    assert not np.allclose(training.inputs[:, 1], preprocessor.inputs(frame.iloc[:TRAIN])[:, 1])


def test_shops_that_say_nothing_have_numbers_that_say_nothing_in_training():
    """Encoded by all rows, 240 shops of noise in 480 rows would be correlated with their own rows' target."""
    rng = np.random.default_rng(0)
    frame = orders().assign(
        shop=[f"shop {k}" for k in rng.integers(0, 240, N)], late=rng.choice(["yes", "no"], N)
    )
    preprocessor = fitted(frame)
    training, _, _ = preprocess_rows(frame, SPLIT, preprocessor)
    target = training.targets.numpy()[:, 0]
    assert abs(np.corrcoef(training.inputs[:, 1], target)[0, 1]) < 0.12
    assert np.corrcoef(preprocessor.inputs(frame.iloc[:TRAIN])[:, 1], target)[0, 1] > 0.4


@pytest.mark.parametrize("task", ["multiclass", "regression"])
def test_classes_have_a_mean_each_and_numbers_one(task):
    frame = orders()
    rng = np.random.default_rng(1)
    frame["late"] = rng.choice(["a", "b", "c"], N) if task == "multiclass" else rng.normal(size=N)
    names = fitted(frame, task).data_spec.feature_names
    expected = ("shop_mean_a", "shop_mean_b", "shop_mean_c") if task == "multiclass" else ("shop_mean",)
    assert names[1 : 1 + len(expected)] == expected


def test_the_most_frequent_alone_have_dummies_by_a_setting():
    frame = orders()
    preprocessor = fitted(frame, many_values="frequent", max_dummies=3)
    names = [n for n in preprocessor.data_spec.feature_names if n.startswith("shop")]
    frequent = frame["shop"].iloc[:TRAIN].value_counts().index[:3]
    assert set(names) == {*(f"shop_{name}" for name in frequent), "shop_(others)"}
    block = preprocessor.inputs(frame)[:, [preprocessor.data_spec.feature_names.index(n) for n in names]]
    np.testing.assert_array_equal(block.sum(1), 1)


def test_text_and_many_values_are_left_out_by_settings():
    preprocessor = fitted(texts="drop", many_values="drop")
    assert preprocessor.data_spec.feature_names == ("age",)


def test_a_saved_preprocessor_gives_the_same_bits_and_holds_no_pickle(tmp_path):
    preprocessor, frame = fitted(), orders()
    save_preprocessor(preprocessor, tmp_path)
    again = load_preprocessor(tmp_path)  # refuses types that are not trusted
    assert again.inputs(frame).tobytes() == preprocessor.inputs(frame).tobytes()


def test_a_row_has_the_same_bits_alone_and_among_others():
    preprocessor, frame = fitted(), orders()
    whole = preprocessor.inputs(frame)
    for k in range(0, N, 40):
        assert preprocessor.inputs(frame.iloc[[k]]).tobytes() == whole[k].tobytes()


def test_text_is_what_skrub_makes_of_it():
    skrub = pytest.importorskip("skrub")
    frame = orders()
    encoder = skrub.StringEncoder(n_components=5, random_state=0)
    texts = frame["comment"].astype("str")
    encoder.fit_transform(texts.iloc[:TRAIN])
    expected = encoder.transform(texts).to_numpy()
    np.testing.assert_allclose(fitted().inputs(frame)[:, 2:], expected, rtol=1e-4, atol=1e-5)


def test_values_that_training_never_saw_are_valid_and_have_the_mean_of_all():
    preprocessor, frame = fitted(), orders()
    assert not (validate_rows(frame, preprocessor) != "").any()
    new = frame.iloc[[0]].assign(shop="a new one", comment="never seen")
    assert validate_rows(new, preprocessor).tolist() == [""]
    assert validate_rows(new, fitted(many_values="frequent", max_dummies=3)).tolist() == [""]
    mean = (frame["late"].iloc[:TRAIN] == "yes").mean()
    np.testing.assert_allclose(preprocessor.inputs(new)[0, 1], mean, rtol=1e-6)


def test_a_column_is_restored_to_the_value_whose_mean_is_nearest():
    preprocessor, frame = fitted(), orders()
    restored = preprocessor.restore_inputs(preprocessor.inputs(frame))
    means = dict(zip(*(a[0] for a in (
        preprocessor.state["target_encoder"].categories_, preprocessor.state["target_encoder"].encodings_
    )), strict=True))  # fmt: skip
    given, expected = restored["shop"].map(means), frame["shop"].map(means)
    np.testing.assert_allclose(given[expected.notna()], expected.dropna(), atol=1e-6)
    assert restored["order_id"].isna().all()


def test_numbers_that_count_rows_are_left_out_by_their_name_alone():
    frame = orders().drop(columns=["comment", "shop", "order_id"])
    assert "customer_id" not in fitted(frame.assign(customer_id=np.arange(N)[::-1])).data_spec.feature_names
    assert "distance" in fitted(frame.assign(distance=np.arange(N))).data_spec.feature_names


NAMES_OF_IDS = (
    *(
        "id",
        "customer_id",
        "Customer ID",
        "customerid",
        "PASSENGERID",
        "PassengerId",
        "orderNumber",
        "row number",
    ),
    *("Index", "Unnamed: 0", "uuid", "Nr", "line no", "key"),
)
NAMES_OF_NUMBERS = ("paid", "bid", "grid", "humid", "heat index", "price_index", "rooms", "turkey", "casino")


@pytest.mark.parametrize(("names", "are_ids"), [(NAMES_OF_IDS, True), (NAMES_OF_NUMBERS, False)])
def test_whole_numbers_of_their_own_are_an_identifier_by_name_for_a_run_and_for_a_profile_alike(
    names, are_ids
):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({name: rng.choice(100_000, N, replace=False) for name in names})
    frame = frame.assign(x=rng.normal(size=N), late=rng.choice(["yes", "no"], N))
    inputs = fitted(frame).data_spec.feature_names
    left_out = [name for name in names if name not in inputs]
    profiles = profile_columns(frame, fit_reading(frame, ReadingSettings()), frame)
    identifiers = [each.name for each in profiles if each.role == "identifier"]
    assert left_out == identifiers == (list(names) if are_ids else [])


def test_twenty_thousand_identifiers_take_no_memory():
    n = 20_000
    frame = pd.DataFrame(
        {"id": [f"u{k}" for k in range(n)], "x": np.arange(n) % 97, "late": np.arange(n) % 2}
    )
    split = Split(training=np.arange(16_000), validation=np.arange(16_000, 18_000), test=np.arange(18_000, n))
    preprocessor = fit_preprocessor(frame, split, PROBLEM, PreprocessingSettings(), 0)
    assert preprocessor.data_spec.n_inputs == 1
    assert len(str(preprocessor.state["kinds"])) < 1000


def test_a_table_of_identifiers_alone_is_refused():
    with pytest.raises(DataError, match="no input column is left"):
        fitted(orders()[["order_id", "late"]])
