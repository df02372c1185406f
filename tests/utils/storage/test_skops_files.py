import io
import operator
import zipfile
from functools import partial

import numpy as np
import pytest
import skops.io
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from layerwise.utils import dump_fitted, load_trusted

SCALER = "sklearn.preprocessing._data.StandardScaler"


def test_a_named_type_and_plain_values_are_read():
    scaler = StandardScaler().fit(np.arange(6.0).reshape(3, 2))
    plain = {"name": "a", "sizes": [1, 2.5, True, None], "cells": np.array(["x", 1, None], dtype=object)}
    found = load_trusted(skops.io.dumps(plain | {"scaler": scaler}), [SCALER])
    np.testing.assert_array_equal(found["scaler"].mean_, [2, 3])
    assert found["sizes"] == plain["sizes"]
    assert found["cells"].tolist() == ["x", 1, None]


@pytest.mark.parametrize(
    "make",
    [
        RidgeCV,
        LogisticRegression,
        StandardScaler,
        lambda: RandomForestRegressor(3, random_state=0),
        lambda: HistGradientBoostingClassifier(max_iter=3, random_state=0),
    ],
)
def test_the_same_model_gives_the_same_bytes_at_any_time_and_answers_alike(make, monkeypatch):
    # A model is registered once by the hash of its bytes, in the process that goes on with its run too.
    x = np.random.default_rng(0).normal(size=(60, 2))
    y = (x[:, 0] > 0).astype(int)
    models = [make().fit(x, y) for _ in range(2)]
    kept = {"one": models[0], "words": ["a", "a", 0.5], "arrays": [x, x]}
    first = dump_fitted(kept)
    with monkeypatch.context() as patch:
        patch.setattr(zipfile.time, "time", lambda: 1e9)
        assert dump_fitted(kept | {"one": models[1], "arrays": [x, x]}) == first
        assert skops.io.dumps(kept) != first
    names = set(skops.io.get_untrusted_types(data=first)) | {
        f"{type(models[0]).__module__}.{type(models[0]).__name__}"
    }
    found = skops.io.loads(first, trusted=sorted(names))
    assert found["words"] == ["a", "a", 0.5]
    assert found["arrays"][0] is found["arrays"][1]
    answer = "predict" if hasattr(models[0], "predict") else "transform"
    np.testing.assert_array_equal(getattr(found["one"], answer)(x), getattr(models[0], answer)(x))


@pytest.mark.parametrize(
    ("held", "words"),
    [
        (StandardScaler(), "StandardScaler"),
        (FunctionTransformer(np.exp), r"numpy.exp \(FunctionNode\), .*FunctionTransformer"),
        ([np.add], r"numpy.add \(FunctionNode\)"),
        (partial(print, "x"), r"functools.partial \(PartialNode\)"),
        (operator.attrgetter("a"), "OperatorFuncNode"),
        (StandardScaler().fit, "MethodNode"),
        (io.BytesIO, "_io.BytesIO"),
        (b"bytes", "BytesNode"),
    ],
)
def test_every_other_type_is_refused_though_skops_may_trust_it(held, words):
    with pytest.raises(ValueError, match=rf"types that are not trusted.*{words}"):
        load_trusted(skops.io.dumps({"deep": [(held,)]}), ["sklearn.dummy.DummyClassifier"])


def test_a_name_does_not_open_another_kind_of_node():
    content = skops.io.dumps([np.add])
    with pytest.raises(ValueError, match="not trusted"):
        load_trusted(content, ["numpy.add"])


def test_what_is_compressed_or_no_archive_is_refused():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("schema.json", " " * 1_000_000 + "{}")
    with pytest.raises(ValueError, match="is compressed"):
        load_trusted(packed.getvalue(), [])
    for broken in (b"", b"PK", skops.io.dumps([1])[:-30]):
        with pytest.raises(ValueError, match="cannot be read"):
            load_trusted(broken, [])
