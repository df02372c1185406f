import io
import operator
import zipfile
from functools import partial

import numpy as np
import pytest
import skops.io
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from layerwise.utils import load_trusted

SCALER = "sklearn.preprocessing._data.StandardScaler"


def test_a_named_type_and_plain_values_are_read():
    scaler = StandardScaler().fit(np.arange(6.0).reshape(3, 2))
    plain = {"name": "a", "sizes": [1, 2.5, True, None], "cells": np.array(["x", 1, None], dtype=object)}
    found = load_trusted(skops.io.dumps(plain | {"scaler": scaler}), [SCALER])
    np.testing.assert_array_equal(found["scaler"].mean_, [2, 3])
    assert found["sizes"] == plain["sizes"]
    assert found["cells"].tolist() == ["x", 1, None]


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
