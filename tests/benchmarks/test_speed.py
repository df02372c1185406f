import json

import costs
import pytest
from make_speed import DOCS, PAGE, cost_table, document, exponent, with_part


def entry(seconds, **steps):
    return {"seconds": seconds, "megabytes": 100, "steps": {"else": 6.0, **steps}}


def test_the_page_is_what_the_figures_give():
    assert PAGE.read_text() == document(), "run: python docs/make_speed.py"


def test_every_figure_is_of_a_series_and_no_size_is_missing():
    figures = json.loads((DOCS / "costs.json").read_text())
    known = {series.name: series for series in costs.SERIES}
    assert set(figures) <= set(known)
    for name, by_size in figures.items():
        assert {int(size) for size in by_size} <= set(known[name].sizes)
        for found in by_size.values():
            assert list(found) == [known[name].pipeline, *known[name].then]


def test_a_power_law_has_its_exponent_and_no_error():
    slope, error = exponent([1, 10, 100], [2.0, 2 * 10**1.5, 2 * 100**1.5])
    assert slope == pytest.approx(1.5)
    assert error == pytest.approx(0, abs=1e-6)


def test_the_standard_error_is_that_of_a_line():
    # Residuals -1, 2, -1 of a flat line on x = -1, 0, 1: the root of 6 / 1 / 2.
    base = 2.718281828459045
    assert exponent([base**-1, 1, base], [base**-1, base**2, base**-1])[1] == pytest.approx(3**0.5)


def test_a_row_has_the_growth_of_nodes_without_what_lies_beside_them():
    figures = {
        "mlp/rows": {
            "10": {"mlp": entry(7, **{"evaluation.score_mlp": 1.0})},
            "1000": {"mlp": entry(16, **{"evaluation.score_mlp": 10.0})},
        }
    }
    row = cost_table(figures).splitlines()[-1]
    assert "| mlp | rows | 10, 1,000 | 7, 16 | 100, 100 | 0.50 | 0.50 | score 10.0 s, 0.5 |" in row


def test_the_part_between_two_headings_is_replaced():
    page = "# Speed\n\n## Costs that grow\nold\n\n## Next\nstays\n"
    assert with_part(page, "new\n") == "# Speed\n\n## Costs that grow\nnew\n\n## Next\nstays\n"


def test_series_vary_one_size_and_keep_the_others():
    series = costs.Series("mlp", "classes", (2, 3), rows=50)
    assert series.table(3) == {"rows": 50, "columns": 20, "classes": 3}
    assert series.settings(3)[0] == "problem.task=multiclass"
    assert costs.Series("rbm", "units", (64,)).settings(64)[-1] == "rbm.n_hidden=64"
    assert costs.Series("mlp", "layers", (2,)).settings(2)[-1] == "mlp.hidden_sizes=[128, 128]"
    figures = {"mlp/classes": {"2": {}}}
    assert list(costs.missing(series, figures)) == [3]
