"""The HTML page about a new problem's file, as a practitioner reads it."""

import re
from html import unescape

import numpy as np
import pandas as pd
import pytest
from helpers.new_problems import N, kept_rows as table

from layerwise.profiling import propose_problem, write_problem
from layerwise.profiling.page import render_table_report


@pytest.fixture
def page(propose):
    return lambda table, target=None: unescape(propose(table, target).page)


def row_of(page, column):
    return next(row for row in re.findall("<tr>.*?</tr>", page) if f"<td>{column}</td>" in row)


def test_booleans_are_shown_in_the_words_of_the_file(page):
    shown = row_of(page(table(smoker=["ja", "nein", ""] * (N // 3), flag=["Yes", "No"] * (N // 2))), "flag")
    assert "<td>No, Yes</td>" in shown or "<td>Yes, No</td>" in shown


def test_a_column_that_is_left_out_says_why(page):
    found = page(table(copy=table()["kept"].map({"yes": "kept", "no": "sold"})), "kept")
    assert "left out; it alone decides kept" in row_of(found, "copy")


def test_the_page_leads_to_the_distributions_that_are_written_beside_it(tmp_path):
    table().to_csv(tmp_path / "t.csv", index=False)
    new = propose_problem("mine", tmp_path / "t.csv", tmp_path)
    pages = write_problem(new, tmp_path / "conf/mine", tmp_path / "report/profile.html")
    assert "href='table_report.html'" in new.page
    assert [each.name for each in pages] == ["profile.html", "table_report.html"]


def test_of_very_many_columns_the_plain_ones_are_folded_and_the_settings_are_near(page):
    rng = np.random.default_rng(1)
    many = pd.DataFrame(rng.normal(size=(N, 300)).round(3), columns=[f"gene_{k}" for k in range(300)])
    many["sample"] = [f"S{k}" for k in range(N)]
    found = page(pd.concat([many, table()], axis=1))
    before, _, after = found.partition("<details>")
    assert "<summary>202 more columns without a remark</summary>" in after
    assert "<td>gene_99</td>" in before
    assert "<td>gene_100</td>" not in before
    assert "<td>gene_299</td>" in after
    assert "<td>sample</td>" in before
    assert "<td>kept</td>" in before


def test_the_distributions_of_very_many_columns_are_those_of_the_first_and_the_last(monkeypatch):
    monkeypatch.setattr("layerwise.profiling.page.MOST_REPORTED", 4)
    frame = pd.DataFrame(np.arange(60.0).reshape(10, 6), columns=list("uvwxyz"))
    report = render_table_report(frame, "many")
    assert "many: the first 3 of 6 columns, and the last" in report
    assert [
        name for name in "uvwxyz" if f'data-column-name="{name}"' in report or f">{name}<" in report
    ] == list("uvwz")
