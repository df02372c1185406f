"""What belongs together: one target in several columns, several rows of one patient, the numbers of rows."""

import json

import numpy as np
import pandas as pd
import pytest
import yaml
from helpers.new_problems import N, kept_rows as rows


def said(new, key):
    return [each.value for each in new.proposal.choices if each.key == key and each.is_suggestion]


def in_columns():
    rng = np.random.default_rng(1)
    kind = rng.integers(0, 3, N)
    flags = {f"is_{name}": (kind == k).astype(int) for k, name in enumerate(("low", "mid", "high"))}
    return pd.DataFrame(
        {"size": (kind + rng.normal(size=N)).round(2), "smoker": rng.integers(0, 2, N), **flags}
    )


def test_columns_of_which_one_is_1_in_each_row_are_the_classes_of_one_target(propose):
    found = propose(in_columns()).proposal
    assert found.value("problem.target") == ["is_low", "is_mid", "is_high"]
    assert found.value("problem.task") == "multilabel"
    assert found.value("problem.drop") is None


def test_beside_one_of_them_that_the_user_names_the_others_are_no_inputs(propose):
    found = propose(in_columns(), "is_mid").proposal
    assert (found.value("problem.task"), found.value("problem.target")) == ("binary", "is_mid")
    assert found.value("problem.drop") == ["is_low", "is_high"]


def test_columns_of_0_and_1_that_overlap_or_leave_a_row_out_are_no_classes(propose):
    table = in_columns()
    table.loc[0, "is_low"], table.loc[0, "is_mid"] = 1, 1
    assert propose(table).proposal.value("problem.target") == "is_high"
    table = in_columns()
    table.loc[0, ["is_low", "is_mid", "is_high"]] = 0
    assert propose(table).proposal.value("problem.target") == "is_high"


@pytest.mark.parametrize("name", ["ticket", "bib", "Los"])
def test_numbers_from_1_in_any_order_number_the_rows(propose, name):
    order = np.random.default_rng(2).permutation(N) + 1
    found = propose(rows(**{name: order})).proposal
    assert found.value("problem.drop") == [name]
    assert any("in another order, 1 to 120" in finding for finding in found.findings)


def test_a_rank_or_numbers_with_a_gap_are_inputs(propose):
    order = np.random.default_rng(2).permutation(N) + 1
    assert propose(rows(world_rank=order)).proposal.value("problem.drop") is None
    assert propose(rows(bib=np.where(order == N, N + 5, order))).proposal.value("problem.drop") is None


@pytest.mark.parametrize("name", ["patient_id", "Subject", "device", "CustomerID"])
@pytest.mark.parametrize("text", [True, False])
def test_several_rows_of_one_patient_are_said_with_the_setting_that_keeps_them_together(propose, name, text):
    ids = np.repeat(np.arange(30), 4) + 100
    new = propose(rows(**{name: [f"P{k}" for k in ids] if text else ids}))
    assert said(new, "split.groups") == [name]
    assert f"# groups: {name}" in new.parameters
    assert any("120 rows are of 30 different" in finding for finding in new.proposal.findings)
    assert "groups" not in (yaml.safe_load(new.parameters).get("split") or {})


def test_few_values_single_rows_and_other_names_are_no_groups(propose):
    assert not said(propose(rows(store_id=["a", "b", "c"] * 40)), "split.groups")
    assert not said(propose(rows(patient=[f"P{k}" for k in range(N)])), "split.groups")
    assert not said(propose(rows(**{"user.age": np.repeat(np.arange(30), 4)})), "split.groups")
    assert not said(propose(rows(town=[f"T{k}" for k in np.repeat(np.arange(30), 4)])), "split.groups")


@pytest.mark.parametrize("step", [1, -1])
def test_rows_in_the_order_of_time_are_said_with_the_setting_that_tests_on_the_last(propose, step):
    days = pd.date_range("2025-01-01", periods=N // 2).repeat(2)[::step].strftime("%Y-%m-%d")
    new = propose(rows(day=days))
    assert said(new, "split.time") == ["day"]
    assert "# time: day" in new.parameters
    (finding,) = (each for each in new.proposal.findings if "split.time: day" in each)
    assert "in the order of day, 2025-01-01 to 2025-03-01" in finding
    assert "time" not in (yaml.safe_load(new.parameters).get("split") or {})


def test_dates_in_no_order_or_of_few_days_are_no_order_of_the_rows(propose):
    days = pd.date_range("2025-01-01", periods=N).strftime("%Y-%m-%d")
    mixed = np.random.default_rng(0).permutation(days)
    assert not said(propose(rows(day=mixed)), "split.time")
    assert not said(propose(rows(day=np.repeat(days[:20], 6))), "split.time")


@pytest.mark.parametrize("write", ["; ".join, "|".join, json.dumps], ids=["semicolons", "bars", "json"])
def test_lists_in_cells_are_a_comment_among_the_settings(propose, write):
    rng = np.random.default_rng(3)
    lists = [
        write(list(rng.choice(["cough", "fever", "pain", "rash"], 1 + k % 3, replace=False)))
        for k in range(N)
    ]
    new = propose(rows(symptoms=lists, place=["Rome", "Oslo"] * (N // 2)))
    assert said(new, "problem.reading.columns") == [{"symptoms": "text"}]
    assert "# columns: {symptoms: text}" in new.parameters
    assert "reading" not in yaml.safe_load(new.parameters)["problem"]


def test_classes_that_are_lists_of_labels_are_said_with_what_makes_columns_of_them(propose):
    labels = ["urgent", "billing", "bug", "urgent;billing", "billing;bug", "none"]
    new = propose(rows(tags=[labels[k % 6] for k in range(N)]), "tags")
    assert any("lists of labels (urgent;billing)" in finding for finding in new.proposal.findings)
    new = propose(rows(place=[["Rome; Italy", "Oslo; Norway", "Bern"][k % 3] for k in range(N)]), "place")
    assert not any("lists of labels" in finding for finding in new.proposal.findings)
