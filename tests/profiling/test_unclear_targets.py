"""Targets whose classes are not what their cells say: NA, very many, spelled in two ways; and mixed words of truth."""

import numpy as np
import pandas as pd
import pytest
from helpers.new_problems import N, kept_rows

from layerwise.data import DataError


def test_na_among_the_classes_of_a_target_means_that_there_is_none(propose):
    table = kept_rows()
    table.loc[[3, 9], "kept"] = "NA"
    new = propose(table).proposal
    assert (new.value("problem.task"), new.value("problem.reading.missing")) == ("binary", ["NA", "N/A"])
    table.loc[:, "kept"] = np.where(table["kept"] == "NA", "None", table["kept"])
    new = propose(table).proposal
    assert (new.value("problem.task"), new.value("problem.reading.missing")) == ("multiclass", None)


def test_a_target_of_very_many_classes_is_taken_where_it_is_named(propose):
    table = pd.concat([kept_rows().drop(columns="kept")] * 4)
    table["sku"] = [f"sku {k % 60}" for k in range(len(table))]
    with pytest.raises(DataError, match="60 different texts, too many for classes; --target 'sku' takes it"):
        propose(table)
    assert propose(table, "sku").proposal.value("problem.task") == "multiclass"
    table["sku"] = [f"sku {k}" for k in range(len(table))]
    with pytest.raises(DataError, match="too many for classes; name another"):
        propose(table, "sku")
    days = pd.Timestamp("2024-01-31") + pd.to_timedelta(np.arange(len(table)), "D")
    table["sku"] = days.strftime("%d.%m.%Y")
    with pytest.raises(DataError, match="480 different dates, which are no numbers to be learnt"):
        propose(table, "sku")


def test_yes_and_true_in_one_column_are_one_answer_and_letters_alone_are_names(propose):
    words = ["Yes", "TRUE", "1", "y", "T", "no", "False", "0", "N", "f"]
    table = kept_rows(smokes=np.resize(words, N), stage=np.resize(["T", "N"], N))
    findings = " ".join(propose(table).proposal.findings)
    assert "Column 'smokes': False, N, T, TRUE, Yes, f, no, y are read as true and false" in findings
    assert "stage" not in findings


def test_classes_that_differ_in_a_dot_or_are_cut_short_are_said(propose):
    table = kept_rows()
    for a, b in (("yes", "yes."), ("yes", "y")):
        table["spelled"] = np.where(
            np.arange(len(table)) % 3 == 0, table["kept"].replace(a, b), table["kept"]
        )
        notes = " ".join(propose(table, "spelled").proposal.findings)
        assert f"'{b}' (" in notes
        assert f"for '{a}'" in notes
