import itertools
import math

import numpy as np
import pytest
import torch

from layerwise.evaluation.shapley import antithetic_permutations, shapley_values


def by_enumeration(function, row, background, columns):
    """Shapley's formula: the weighted sum over all coalitions of what a column adds (Shapley 1953)."""
    n = len(columns)

    def value(coalition):
        mixed = background.clone()
        for k in coalition:
            mixed[:, list(columns[k])] = row[list(columns[k])]
        return function(mixed).double().mean(0)

    found = []
    for k in range(n):
        others = [j for j in range(n) if j != k]
        total = 0
        for size in range(n):
            weight = math.factorial(size) * math.factorial(n - size - 1) / math.factorial(n)
            for coalition in itertools.combinations(others, size):
                total = total + weight * (value((*coalition, k)) - value(coalition))
        found.append(total)
    return torch.stack(found)


def curved(rows):
    """Two outputs in which columns work together."""
    first = (rows[:, 0] * rows[:, 1]).sin() + rows[:, 2] * rows[:, 3].exp()
    return torch.stack([first, rows.square().sum(1) * rows[:, 4]], 1)


COLUMNS = [(0,), (1, 2), (3,), (4,)]


def some(n, seed):
    return torch.randn(n, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def test_with_all_orders_of_the_columns_they_are_the_exact_values():
    rows, background = some(3, 0), some(2, 1)
    orders = np.array(list(itertools.permutations(range(4))) * 2)
    values, answers, base = shapley_values(curved, rows, background, COLUMNS, orders)
    for k, row in enumerate(rows):
        expected = by_enumeration(curved, row, background, COLUMNS)
        torch.testing.assert_close(values[k], expected, rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(answers, curved(rows))
    torch.testing.assert_close(base, curved(background).mean(0))


def test_ten_columns_come_near_the_exact_values_and_add_up():
    weight = torch.randn(10, 10, dtype=torch.float64, generator=torch.Generator().manual_seed(2))

    def function(rows):
        return (rows @ weight).tanh().prod(1, keepdim=True) + rows.sum(1, keepdim=True).sigmoid()

    rng = torch.Generator().manual_seed(3)
    row, background = (torch.randn(n, 10, dtype=torch.float64, generator=rng) for n in (1, 4))
    columns = [(k,) for k in range(10)]
    orders = np.concatenate([antithetic_permutations(1, 10, seed) for seed in range(4000)])
    values, answers, base = shapley_values(function, row, background, columns, orders)
    expected = by_enumeration(function, row[0], background, columns)
    assert float((values[0] - expected).abs().max()) < 0.01 * float(expected.abs().sum())
    torch.testing.assert_close(values.sum(1), answers - base, rtol=0, atol=1e-12)


def test_they_add_up_to_the_answer_less_the_base_for_any_orders():
    rows, background = some(50, 4), some(6, 5)
    orders = antithetic_permutations(6, 4, seed=0)
    values, answers, base = shapley_values(curved, rows, background, COLUMNS, orders)
    torch.testing.assert_close(values.sum(1), answers - base, rtol=0, atol=1e-9)


def test_those_of_a_sum_are_its_terms_whatever_the_order():
    weight = torch.tensor([[1.0], [-2.0], [0.5], [3.0], [0.0]], dtype=torch.float64)
    rows, background = some(4, 6), some(3, 7)
    values, _, _ = shapley_values(
        lambda x: x @ weight, rows, background, COLUMNS, antithetic_permutations(3, 4, 1)
    )
    expected = (rows - background.mean(0)) * weight[:, 0]
    grouped = torch.stack([expected[:, list(inputs)].sum(1) for inputs in COLUMNS], 1)
    torch.testing.assert_close(values[:, :, 0], grouped)
    assert float(values[:, 3].abs().max()) == pytest.approx(0, abs=1e-12)


def test_each_background_row_has_an_order_and_its_reverse():
    found = antithetic_permutations(3, 5, seed=0)
    assert (found[::2] == found[1::2, ::-1]).all()
    assert (np.sort(found, 1) == np.arange(5)).all()


def test_a_single_column_has_all_that_the_answer_differs_from_the_base():
    rows, background = some(3, 0), some(2, 1)
    values, answers, base = shapley_values(
        curved, rows, background, [range(5)], antithetic_permutations(2, 1, 0)
    )
    torch.testing.assert_close(values[:, 0], answers - base)
