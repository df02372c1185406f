import numpy as np
import pytest
from sklearn.preprocessing import PowerTransformer

from layerwise.data import DataError, TargetTransform

KINDS = ["none", "log1p", "sqrt", "yeo_johnson", "quantile"]
RNG = np.random.default_rng(0)
VALUES = np.stack([RNG.gamma(1.0, 50.0, 2000), RNG.gamma(3.0, 2.0, 2000)], 1)


@pytest.mark.parametrize("kind", KINDS)
def test_the_way_back_leads_to_the_targets(kind):
    found = TargetTransform.fit(kind, VALUES)
    np.testing.assert_allclose(found.inverse(found.forward(VALUES)), VALUES, rtol=1e-9, atol=1e-9)
    back = TargetTransform.model_validate_json(found.model_dump_json())
    np.testing.assert_array_equal(back.forward(VALUES), found.forward(VALUES))


@pytest.mark.parametrize("kind", KINDS)
def test_both_ways_increase(kind):
    found = TargetTransform.fit(kind, VALUES[:, :1])
    there = found.forward(np.linspace(0, 300, 500)[:, None])[:, 0]
    assert (np.diff(there) >= 0).all()
    back = found.inverse(np.linspace(-8, 8, 500)[:, None])[:, 0]
    assert np.isfinite(back).all()
    assert (np.diff(back) >= 0).all()


def test_the_power_is_that_of_scikit_learn():
    signed = VALUES - 20
    found = TargetTransform.fit("yeo_johnson", signed)
    fitted = PowerTransformer(standardize=False).fit(signed)
    np.testing.assert_allclose(found.forward(signed), fitted.transform(signed), rtol=1e-9)
    given = fitted.transform(signed)
    np.testing.assert_allclose(found.inverse(given), fitted.inverse_transform(given), rtol=1e-6)


@pytest.mark.parametrize("power", [-1.5, 0.0, 0.5, 2.0, 3.0])
def test_what_no_target_becomes_has_a_way_back_all_the_same(power):
    found = TargetTransform(kind="yeo_johnson", parameters=((power,),))
    values = np.array([-4.0, -0.5, 0.0, 0.5, 4.0])
    np.testing.assert_allclose(found.inverse(found.forward(values)), values, atol=1e-9)
    assert np.isfinite(found.inverse(np.array([-1e3, 1e3]))).all()


@pytest.mark.parametrize("sign", [1, -1])
def test_near_the_bound_of_a_power_a_little_more_is_the_largest_target_and_not_one_without_end(sign):
    values = sign * np.random.default_rng(1).lognormal(0, 1.5, (500, 1))
    found = TargetTransform.fit("yeo_johnson", values)
    assert not 0 <= found.parameters[0][0] <= 2
    there = found.forward(values)
    beyond = found.inverse(sign * np.abs(there).max(keepdims=True) * [[1.0], [1.05], [9.0]])
    np.testing.assert_allclose(beyond, np.full((3, 1), sign * np.abs(values).max()), rtol=1e-9)
    np.testing.assert_allclose(found.inverse(there), values, rtol=1e-9)


def test_quantiles_become_normal_ones():
    found = TargetTransform.fit("quantile", VALUES).forward(VALUES)
    assert np.abs(found.mean(0)).max() < 0.02
    assert np.abs(found.std(0) - 1).max() < 0.02
    beyond = TargetTransform.fit("quantile", VALUES).inverse(np.array([[-9.0, -9], [9, 9]]))
    np.testing.assert_allclose(beyond, [VALUES.min(0), VALUES.max(0)])


def test_targets_that_are_often_the_same_have_one_value():
    zeros = np.concatenate([np.zeros(500), RNG.gamma(1.0, 5.0, 500)])[:, None]
    found = TargetTransform.fit("quantile", zeros)
    there = found.forward(zeros)
    assert len(np.unique(there[:500])) == 1
    np.testing.assert_allclose(found.inverse(there), zeros, atol=0.2)


@pytest.mark.parametrize(
    ("kind", "values", "message"),
    [
        ("log1p", [-1.0, 2], "at or below -1: log1p is undefined"),
        ("sqrt", [-0.1, 2], "below 0: sqrt is undefined"),
    ],
)
def test_targets_where_a_transform_is_undefined_are_refused(kind, values, message):
    with pytest.raises(DataError, match=message):
        TargetTransform.fit(kind, np.array(values)[:, None], "y")
