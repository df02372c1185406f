import json

import numpy as np
import pytest
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, StandardScaler

from layerwise.data.transforms import (
    CategoryEncoder,
    NumberScaler,
    as_plain_values,
    from_plain_values,
)


@pytest.mark.parametrize(("kind", "peer"), [("standard", StandardScaler()), ("minmax", MinMaxScaler())])
def test_numbers_are_scaled_and_restored_as_scikit_learn_does_to_the_bit(kind, peer):
    rng = np.random.default_rng(0)
    values = rng.normal(3, 50, (500, 4)) ** 3
    values[:, 2] = 7.0  # constant: the scale is 1
    new = rng.normal(0, 9, (300, 4))
    fitted = NumberScaler.fit(kind, values)
    peer.fit(values)
    assert np.array_equal(fitted.transform(new), peer.transform(new))
    assert np.array_equal(fitted.inverse_transform(new), peer.inverse_transform(new))


@pytest.mark.parametrize("drop_first", [False, True])
def test_categories_are_encoded_as_scikit_learn_does(drop_first):
    texts = np.array([["b", "x"], ["a", "x"], ["c", "y"], ["a", "é"]], dtype=object)
    new = np.array([["a", "y"], ["b", "é"], ["c", "x"], ["zz", "x"]], dtype=object)
    fitted = CategoryEncoder.fit(texts, drop_first)
    peer = OneHotEncoder(
        drop="first" if drop_first else None, handle_unknown="ignore", sparse_output=False
    ).fit(texts)
    assert [known.tolist() for known in fitted.categories_] == [known.tolist() for known in peer.categories_]
    with pytest.warns(UserWarning, match="unknown categories") if drop_first else _nothing():
        expected = peer.transform(new)
    np.testing.assert_array_equal(fitted.transform(new), expected)
    assert fitted.transform(new)[3, : 2 if drop_first else 3].sum() == 0


def _nothing():
    from contextlib import nullcontext

    return nullcontext()


def test_a_scaler_and_an_encoder_come_back_from_json_as_they_were():
    values = np.random.default_rng(0).normal(1e9, 1e-3, (50, 2))
    state = {
        "kind": "table",
        "scaler": NumberScaler.fit("standard", values),
        "encoder": CategoryEncoder.fit(np.array([["a"], ["b"]], dtype=object), drop_first=True),
    }
    back = from_plain_values(json.loads(json.dumps(as_plain_values(state))))
    assert back == state
    assert from_plain_values({"scaler": None, "encoder": None}) == {"scaler": None, "encoder": None}
