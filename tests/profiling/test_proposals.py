"""What is proposed for small files of each kind, and that the files written say it."""

import json

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

from layerwise.data import DataError
from layerwise.profiling import propose_problem, write_problem
from layerwise.profiling.reading import settle_reading

N = 120


def rows(**columns):
    """A table of two numbers and a class of yes and no that hangs on their sum."""
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=N).round(3), rng.normal(size=N).round(3)
    noise = rng.normal(size=N)
    return pd.DataFrame({"a": a, "b": b, "kept": np.where(a + b + noise > 0, "yes", "no")} | columns)


@pytest.fixture
def propose(tmp_path):
    def call(table, target=None, name="t.csv", **given):
        if isinstance(table, pd.DataFrame):
            table.to_csv(tmp_path / name, index=False, **given)
        else:
            (tmp_path / name).write_text(table)
        return propose_problem("mine", tmp_path / name, tmp_path / "project", target).proposal

    return call


def test_a_plain_table_needs_its_task_target_and_positive_class_alone(propose):
    found = propose(rows())
    assert {choice.key: choice.value for choice in found.choices if not choice.is_suggestion} == {
        "problem.name": "mine",
        "problem.task": "binary",
        "problem.target": "kept",
        "problem.positive": "yes",
    }


def test_a_column_that_no_setting_makes_readable_is_dropped_whatever_is_in_its_name(propose):
    stamps = ["2023-05-01T10:00:00Z", "2023-05-02T10:00:00"] * (N // 2)
    found = propose(rows(**{"the drivers' visits": stamps}))
    assert found.value("problem.drop") == ["the drivers' visits"]


@pytest.mark.parametrize("named", [None, "kept"])
@pytest.mark.parametrize(
    "text",
    [
        "${:,.0f}",
        "{:.1f} %",
        "{:.2f} EUR",
        lambda value: f"{value:,.2f}".replace(",", "'"),
        lambda value: str(pd.Timedelta(seconds=round(value))),
    ],
)
def test_a_target_of_numbers_as_a_table_shows_them_is_a_regression(propose, text, named):
    show = text if callable(text) else text.format
    table = rows()
    table["kept"] = [show(200_000 * np.exp(each)) for each in table["a"] + table["b"]]
    found = propose(table, named)
    assert found.value("problem.target") == "kept"
    assert found.value("problem.task") == "regression"


def test_a_column_of_durations_is_said_with_the_line_that_keeps_it(propose):
    found = propose(rows(took=[f"{k % 24:02}:{k % 60:02}:00" for k in range(N)]))
    assert any("'took'" in line and "00:00:00" in line and "category" in line for line in found.findings)


def test_cells_with_digits_are_never_taken_for_missing_ones(propose):
    found = propose(
        rows(children=np.resize(["0", "1", "2", "3+"], N), size=np.resize(["40", "41", "42", "43 1/3"], N))
    )
    assert found.value("problem.reading.missing") is None
    assert found.value("problem.reading.columns") == {"size": "category"}
    text = " | ".join(found.findings)
    assert (
        "Column 'children': read as numbers: '3+' is 3; columns: {children: category} keeps them as names"
        in text
    )


def test_telephone_numbers_are_no_text_and_days_of_stata_are_dates(propose):
    phones = [f"+49 {200 + k} {k * 7919 % 10**6:06} {k}" for k in range(N)]
    days = [f"{1 + k % 28:02}{['jan', 'feb', 'mar'][k % 3]}19{50 + k % 50}" for k in range(N)]
    found = propose(rows(phone=phones, born=days), "kept")
    assert found.value("problem.drop") == ["phone"]
    assert any("Column 'born': read as dates: \"%d%b%Y\"" in each for each in found.findings)


def test_columns_of_a_sheet_that_hold_cells_without_a_name_are_said(tmp_path):
    table = rows()
    table.insert(1, "", np.arange(N))
    table.to_excel(tmp_path / "merged.xlsx", index=False)
    found = propose_problem("mine", tmp_path / "merged.xlsx", tmp_path / "project", "kept").proposal.findings
    assert any(each.startswith("column(s) 2 of the sheet hold cells without a name") for each in found)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '[\n {"a": 1, "b": [{"c": 2}]}]',
            r"object 1: 'b' holds a list of objects, .*pandas.json_normalize",
        ),
        ('[{"a": 1, "b": 2}, {"a": 1', "is no JSON, or cut off: "),
        ('{"a": 1}\n{"a": 1, "b": [{"c": 2}]}\n', r"line 2: 'b' holds a list of objects"),
    ],
)
def test_json_that_is_no_table_is_refused_with_what_makes_one(propose, text, message):
    with pytest.raises(DataError, match=message):
        propose(text, name="t.json")


def test_an_array_of_objects_is_a_table(propose):
    records = [
        {"a": k / 7, "b": None if k % 9 == 0 else k % 4, "kept": "yes" if k % 3 else "no"} for k in range(N)
    ]
    found = propose(json.dumps(records, indent=1), "kept", name="answer.json")
    assert found.value("problem.target") == "kept"
    assert found.value("problem.task") == "binary"


def test_two_numbers_in_a_cell_and_times_since_1970_are_said(propose):
    pressures = [f"{100 + k % 60}/{60 + k % 31}" for k in range(N)]
    table = rows(
        bp=pressures, at=[1704067200000 + 3600000 * k for k in range(N)], n=[3 * k for k in range(N)]
    )
    text = " | ".join(propose(table, "kept").findings)
    assert "column 'bp'" in text
    assert "each of its cells holds two numbers (100/60)" in text
    assert "dates: {at: [unix_milliseconds]}, as column 'at': 1704067200000 is 2024-01-01" in text
    assert "column 'n'" not in text


def test_numbers_are_shown_as_people_write_them(propose):
    table = rows(people=[f"{1198069 + 7 * k:,}" for k in range(N)])
    found = propose(table, "kept")
    assert "'1,198,069' is 1198069" in " | ".join(found.findings)


def test_places_in_degrees_minutes_and_seconds_are_numbers(propose):
    places = [f"{48 + k // 60}°{k % 60:02}'{(7 * k) % 60:02}\"{'NS'[k % 2]}" for k in range(N)]
    found = propose(rows(lat=places), "kept")
    assert "Column 'lat': read as numbers: '48°00'00\"N' is 48" in " | ".join(found.findings)
    assert found.value("problem.drop") is None


def test_what_a_run_takes_for_an_identifier_is_left_out_with_the_reason(propose):
    names = [f"name {max(k, 3)}" for k in range(N)]
    assert propose(rows(who=names), "kept").value("problem.drop") == ["who"]
    with pytest.raises(DataError, match="from which 'kept' could be learnt: 'who': it names the rows"):
        propose(rows(who=names)[["who", "kept"]], "kept")


def test_lists_and_numbers_with_several_units_are_said(propose):
    rng = np.random.default_rng(0)
    kinds = ["drama", "comedy", "action", "horror", "romance", "crime"]
    genres = ["; ".join(sorted(rng.choice(kinds, 1 + k % 3, replace=False))) for k in range(N)]
    sizes = [f"{k + 3} B" if k % 2 else f"{k / 10:.1f} KB" for k in range(N)]
    found = propose(
        rows(genres=genres, size=sizes, lat=[f"{50 + k / 1000:.3f}° N" for k in range(N)]), "kept"
    )
    text = " | ".join(found.findings)
    assert "columns: {genres: text} in problem.reading reads their parts" in text
    assert "its cells are numbers with several units (B, KB)" in text
    assert "Column 'lat': read as numbers: '50.000° N' is 50" in text


def test_units_are_the_same_ones_wherever_they_are_looked_for(propose):
    areas = [f"{k + 3} m²" if k % 2 else f"{k / 10:.1f} ha" for k in range(N)]
    heat = [f"{k / 7:.2f}°C" if k % 2 else f"{k / 3:.2f} °F" for k in range(N)]
    text = " | ".join(propose(rows(area=areas, heat=heat), "kept").findings)
    assert "numbers with several units (ha, m²)" in text
    assert "numbers with several units (°C, °F)" in text


def test_settings_that_the_reading_needs_are_said_in_a_line_each(propose, tmp_path):
    with pd.ExcelWriter(tmp_path / "book.xlsx") as book:
        pd.DataFrame({"key": ["a"], "means": ["first"]}).to_excel(book, sheet_name="legend", index=False)
        answers = np.resize(["Red", "red", "blue"], N)
        rows(answer=answers).to_excel(book, sheet_name="rows of 2024", index=False)
    found = propose_problem("mine", tmp_path / "book.xlsx", tmp_path / "project", "kept").proposal.findings
    sheet, spelled = (
        next(each for each in found if each.startswith(f"problem.reading.{key}"))
        for key in ("sheet", "ignore")
    )
    assert (
        sheet
        == "problem.reading.sheet: rows of 2024, as book.xlsx has the sheets 'legend', 'rows of 2024'; else legend"
    )
    assert spelled.startswith(
        "problem.reading.ignore_case: [answer], as column 'answer': 'Red', 'red' are read in small letters"
    )


@pytest.mark.parametrize(
    ("positive", "other"),
    [
        ("case", "control"),
        ("Fraud", "Not fraud"),
        ("churn", "no_churn"),
        ("smoker", "non-smoker"),
        ("defaulted", "fully paid"),
        ("WAHR", "FALSCH"),
    ],
)
def test_the_class_that_is_looked_for_is_positive_by_its_name_also_where_it_is_frequent(
    propose, positive, other
):
    choice = propose(rows(kept=np.resize([positive, positive, other], N)), "kept").choices[3]
    assert (choice.key, choice.value, choice.other) == ("problem.positive", positive, other)
    assert choice.reason.startswith(f"by its name, {N * 2 // 3} of {N} rows")


@pytest.mark.parametrize(
    ("rare", "frequent"), [("survived", "died"), ("passed", "failed"), ("none", "one"), ("no", "nothing")]
)
def test_of_names_that_do_not_say_it_the_rarer_class_is_positive(propose, rare, frequent):
    assert (
        propose(rows(kept=np.resize([rare, frequent, frequent], N)), "kept").value("problem.positive") == rare
    )


def test_a_few_texts_that_could_be_numbers_are_classes(propose):
    found = propose(rows(kept=np.repeat(["5 %", "10 %", "20 %"], N // 3)))
    assert found.value("problem.task") == "multiclass"


@pytest.mark.parametrize(
    ("target", "task", "other"),
    [
        (np.arange(N) % 2, "binary", ""),
        (np.repeat(["x", "y", "z"], N // 3), "multiclass", ""),
        (np.arange(N) % 5, "multiclass", "regression"),
        (np.arange(N) % 20, "regression", "multiclass"),
        (np.linspace(0, 1, N) ** 2, "regression", ""),
    ],
)
def test_the_task_follows_from_the_targets_values(propose, target, task, other):
    found = propose(rows(last=target), "last")
    choice = next(each for each in found.choices if each.key == "problem.task")
    assert (choice.value, choice.other) == (task, other)


@pytest.mark.parametrize(
    ("columns", "target", "other"),
    [
        ({}, "kept", "b"),
        ({"Target": np.arange(N) % 2}, "Target", "kept"),
        ({"y": np.arange(N) % 2}, "y", "kept"),
        ({"X": np.arange(N) % 7, "Y": np.arange(N) % 5, "size": np.arange(N) / 7}, "kept", "size"),
        ({"size": np.arange(N) / 7}, "kept", "size"),  # the only column of yes and no
        ({"flag": np.repeat([0, 1], N // 2)}, "kept", "flag"),
        ({"paid": np.repeat(["no", "yes"], N // 2)}, "paid", "kept"),
        ({"size": np.arange(N) / 7, "SalePrice": np.arange(N) * 7}, "SalePrice", "size"),
        ({"price": np.arange(N) * 7, "size": np.arange(N) / 7}, "price", "size"),
        ({"Survived": np.arange(N) % 2, "port": np.repeat(["S", "C", "Q"], N // 3)}, "Survived", "port"),
        ({"EstimatedSalary": np.arange(N) * 7, "size": np.arange(N) / 7}, "kept", "size"),
    ],
)
def test_the_target_is_guessed_by_name_by_words_or_place(propose, columns, target, other):
    choice = next(each for each in propose(rows(**columns)).choices if each.key == "problem.target")
    assert (choice.value, choice.other) == (target, other)


@pytest.mark.parametrize(
    ("classes", "positive"),
    [(("fine", "broken"), "broken"), (("ja", "nein"), "ja"), ((0, 1), "1")],
)
def test_the_positive_class_reads_yes_or_is_the_rarer_one(propose, classes, positive):
    state = np.where(np.arange(N) % 4 > 0, *classes)
    found = propose(rows(state=state), "state")
    assert found.value("problem.positive") == positive


def test_identifiers_and_leaks_are_left_out_with_their_reasons(propose):
    table = rows(order=[f"A-{k:05}" for k in range(N)], row_id=range(5, N + 5))
    table["copy"] = table["kept"].map({"yes": "J", "no": "N"})
    found = propose(table, "kept")
    choice = next(each for each in found.choices if each.key == "problem.drop")
    assert sorted(choice.value) == ["copy", "order", "row_id"]
    assert "'copy': it alone decides kept" in choice.reason
    assert choice.other == "keep copy and say allow_leak: true"
    assert any("column 'copy': it alone decides" in each and "allow_leak" in each for each in found.findings)


def test_free_text_and_names_of_many_values_are_said_with_the_setting_that_decides(propose):
    words = [f"the word {k % 60} and {k} more of it" for k in range(N)]
    zones = [f"Z{k % 9}" for k in range(N)]
    found = propose(rows(note=words, town=[f"T{k % 70}" for k in range(N)], zone=zones), "kept")
    assert found.value("problem.drop") is None
    text = " | ".join(found.findings)
    assert "'note': it is free text" in text
    assert "(preprocessing.texts)" in text
    assert "'town': it has 70 different texts in 120 rows (preprocessing.many_values)" in text
    assert "zone" not in text


def test_numbers_that_are_all_different_are_no_identifiers(propose):
    found = propose(rows(income=np.random.default_rng(1).permutation(N) * 17))
    assert found.value("problem.drop") is None


def test_what_is_ambiguous_is_settled_with_its_reason_and_the_runner_up(propose):
    days = [f"0{1 + k % 9}/0{1 + k % 7}/2023" for k in range(N)]
    found = propose(rows(day=days), "kept")
    choice = next(each for each in found.choices if each.key == "problem.reading.dates")
    assert choice.value == {"day": ["%d/%m/%Y"]}
    assert "%m/%d/%Y" in choice.other
    assert "column 'day' has two readings" in choice.reason


def test_marks_of_missing_values_and_sentinels_become_a_setting(propose):
    table = rows(size=np.random.default_rng(2).integers(10, 99, N).astype(object), hours=np.arange(N) % 9 + 1)
    table.loc[table.index % 12 == 0, "size"] = "?"
    table.loc[table.index % 12 == 1, "hours"] = 9999
    found = propose(table, "kept")
    assert "?" in found.value("problem.reading.missing")
    (taken,) = (each for each in found.choices if each.key == "problem.reading.missing_in")
    assert taken.value == {"hours": ["9999"]}
    assert not taken.is_suggestion
    assert "column 'hours': 9999 in cells far from all other values, and often" in taken.reason
    assert not any("9999 stands far" in each for each in found.findings)


@pytest.mark.parametrize(
    "beside", [[9999, 9998, 9990] * (N // 3), [f"{k % 3}" for k in range(N - 1)] + ["9999"]]
)
def test_a_sentinel_stays_a_value_in_another_column(propose, beside, tmp_path):
    table = rows(hours=np.where(np.arange(N) % 12 == 1, 9999.0, np.arange(N) % 9 + 0.5), other=beside)
    assert propose(table, "kept").value("problem.reading.missing_in") == {"hours": ["9999"]}
    settled = settle_reading(tmp_path / "t.csv").frame
    assert settled["hours"].isna().tolist() == (table["hours"] == 9999).tolist()
    assert (settled["other"].astype(float) == table["other"].astype(float)).all()


def test_a_target_spelled_in_several_ways_has_the_classes_that_are_meant(propose):
    table = rows()
    table["kept"] = [
        word.upper() if k % 3 == 0 else f"{word.title()} " if k % 3 == 1 else word
        for k, word in enumerate(table["kept"])
    ]
    found = propose(table)
    assert found.value("problem.task") == "binary"
    assert found.value("problem.positive") == "yes"
    assert found.value("problem.reading.ignore_case") == ["kept"]


def test_lines_before_the_header_and_longer_rows_are_settled(propose):
    text = "Report\nof May\n\n" + rows().to_csv(index=False)
    assert propose(text).value("problem.reading.skip_lines") == 3
    text = rows().to_csv(index=False) + "1,2,yes,4\n"
    found = propose(text)
    assert found.value("problem.reading.bad_rows") == "drop"
    assert any("1 row(s) left out, the first in line 122" in each for each in found.findings)


def test_a_long_tail_is_said_and_not_transformed(propose):
    found = propose(rows(cost=np.exp(np.random.default_rng(0).normal(0, 3, N))), "cost")
    choice = next(each for each in found.choices if each.key == "problem.target_transform")
    assert (choice.value, choice.other) == ("none", "log1p")


def test_a_target_that_lies_absurdly_far_from_all_others_is_said(propose):
    level = np.sin(np.arange(N)).round(3)
    assert not any("absurdly" in each for each in propose(rows(level=level), "level").findings)
    level[7] = 900
    (said,) = [each for each in propose(rows(level=level), "level").findings if "absurdly" in each]
    assert said.startswith(f"1 of {N} values of level lie absurdly far from all others, such as 900")


@pytest.mark.parametrize(("place", "called"), [(0, "first"), (-1, "last")])
def test_a_row_that_holds_the_sums_of_the_others_is_said(propose, place, called):
    table = rows(units=np.arange(N) % 9, spent=(np.arange(N) % 7 * 10.004).round(2))
    assert not any("sums" in each for each in propose(table, "kept").findings)
    total = pd.DataFrame({"units": [table.units.sum()], "spent": [table.spent.sum() + 0.02]})
    parts = [total, table] if place == 0 else [table, total]
    (said,) = [each for each in propose(pd.concat(parts), "kept").findings if "sums" in each]
    assert said.startswith(f"the {called} row holds the sums of all others (units, spent)")


def test_small_numbers_of_both_signs_that_sum_up_to_the_last_are_no_total(propose):
    answers = np.tile([-1, 0, 1], N // 3)
    answers[0] = 1
    assert answers[-1] == answers[:-1].sum()
    assert not any("sums" in each for each in propose(rows(answer=answers), "kept").findings)


def test_a_class_of_one_row_is_not_sampled_by_class(propose):
    kinds = ["x", "y"] * (N // 2 - 1) + ["x", "odd"]
    assert propose(rows(kind=kinds), "kind").value("split.stratify") is False
    assert propose(rows(kind=["x", "y", "z"] * (N // 3)), "kind").value("split.stratify") is None


def test_gaps_doubles_and_few_rows_are_said(propose):
    table = rows()
    table.loc[:4, "kept"] = None
    table = pd.concat([table, table.iloc[[9]]])
    text = " | ".join(propose(table, "kept").findings)
    assert "5 of 121 rows have no kept" in text
    assert "1 of 121 rows repeat" in text
    assert "116 rows are few" in text
    folds = next(each for each in propose(table, "kept").choices if each.key == "split.folds")
    assert (folds.value, folds.is_suggestion) == (5, True)


@pytest.mark.parametrize(
    ("text", "target", "message"),
    [
        ("a,b\n1,x\n2,y\n", "c", "no column 'c'"),
        ("a,kept\n1,x\n2,x\n", "kept", "one value only"),
        ("a\n1\n2\n", None, "two at least"),
        ("a,a,b\n1,2,3\n", None, "column 'a' twice"),
        ("a,b\n" + "".join(f"{k},text{k}\n" for k in range(60)), "b", "60 different texts"),
    ],
)
def test_a_table_from_which_nothing_can_be_learnt_is_refused(propose, text, target, message):
    with pytest.raises(DataError, match=message):
        propose(text, target)


def test_a_folder_of_pictures_is_images_of_the_middle_size(tmp_path):
    for k in range(12):
        path = tmp_path / f"pictures/{'ab'[k % 2]}/{k}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((6 + k % 3, 5), k, np.uint8)).save(path)
    found = propose_problem("mine", tmp_path / "pictures", tmp_path / "project").proposal
    assert found.entry == {
        "type": "layerwise.datasets.ImageFiles",
        "path": str(tmp_path),
        "images": {"name": "pictures"},
        "size": [7, 5],
    }
    assert found.value("problem.task") == "binary"
    with pytest.raises(DataError, match="--target is for a table"):
        propose_problem("mine", tmp_path / "pictures", tmp_path, "a")


@pytest.mark.parametrize("is_cut", [False, True])
def test_pictures_that_cannot_be_read_are_named_and_left_out_by_a_line_that_is_proposed(tmp_path, is_cut):
    for name in ("cats/1.jpg", "cats/2.jpg", "dogs/3.jpg", "dogs/4.jpg"):
        (tmp_path / "pets" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.random.default_rng(0).integers(0, 255, (40, 40), np.uint8)).save(
            tmp_path / "pets" / name
        )
    broken = tmp_path / "pets/dogs/4.jpg"
    # Of a download that broke off the header says the size, and the rest is not there.
    broken.write_bytes(broken.read_bytes()[:800] if is_cut else b"\x89PNG\r\n\x1a\n cut off")
    found = propose_problem("mine", tmp_path / "pets", tmp_path / "project", None)
    assert found.proposal.value("problem.reading.bad_rows") == "drop"
    (choice,) = [each for each in found.proposal.choices if each.key == "problem.reading.bad_rows"]
    assert choice.reason in found.proposal.findings  # which the terminal shows
    assert choice.reason == "1 of 4 pictures cannot be read: dogs/4.jpg; they are left out"
    for path in (tmp_path / "pets").rglob("*.jpg"):
        path.write_bytes(b"\x89PNG\r\n\x1a\n cut off")
    with pytest.raises(DataError, match="4 of 4 pictures cannot be read"):
        propose_problem("mine", tmp_path / "pets", tmp_path / "project", None)


def test_large_pictures_are_proposed_smaller(tmp_path):
    for name in ("a/1.png", "b/2.png"):
        (tmp_path / "p" / name).parent.mkdir(parents=True)
        Image.fromarray(np.zeros((300, 200), np.uint8)).save(tmp_path / "p" / name)
    assert propose_problem("mine", tmp_path / "p", tmp_path).proposal.entry["size"] == [64, 43]


def test_arrays_in_the_unit_range_get_their_pixel_range(tmp_path):
    np.savez(tmp_path / "a.npz", images=np.random.default_rng(0).random((9, 3, 3)), labels=np.arange(9) % 3)
    found = propose_problem("mine", tmp_path / "a.npz", tmp_path).proposal
    assert found.value("problem.reading.pixel_range") == [0, 1]
    assert found.value("problem.task") == "multiclass"
    np.savez(tmp_path / "a.npz", images=np.arange(81).reshape(9, 3, 3), labels=np.arange(9) % 3)
    assert (
        propose_problem("mine", tmp_path / "a.npz", tmp_path).proposal.value("problem.reading.pixel_range")
        is None
    )


def test_users_items_and_ratings_are_ratings_unless_a_target_is_named(propose):
    text = "when;reader;isbn;stars\n" + "".join(
        f"{k};u{k % 9};{k % 7 * 10**8};{k % 5 / 2 + 1}\n" for k in range(60)
    )
    found = propose(text)
    assert found.value("problem.task") == "ratings"
    assert found.entry["type"] == "layerwise.datasets.SourceRatings"
    assert found.entry["columns"] == {"user": "reader", "item": "isbn", "rating": "stars"}
    assert any("ratings of 7 items by 9 users, from 1 to 3" in each for each in found.findings)
    as_table = propose(text, "stars")
    assert as_table.value("problem.task") == "regression"
    assert any("leave --target out for recommendations" in each for each in as_table.findings)
    assert not any("--target" in each for each in propose(rows(), "kept").findings)


def test_a_folder_of_texts_is_documents(tmp_path):
    for k in range(4):
        (tmp_path / "posts").mkdir(exist_ok=True)
        (tmp_path / "posts" / f"{k}.txt").write_text("red fox" if k % 2 else "red wine")
    found = propose_problem("mine", tmp_path / "posts", tmp_path).proposal
    assert found.entry["type"] == "layerwise.datasets.SourceTexts"
    assert found.value("problem.task") == "documents"
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="neither pictures nor"):
        propose_problem("mine", tmp_path / "empty", tmp_path)


def test_what_stands_beside_the_texts_of_a_folder_is_said(tmp_path):
    for k in range(8):
        folder = tmp_path / "mails" / ("spam" if k % 2 else "ham")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{k}.txt").write_text("red fox" if k % 2 else "red wine")
    (folder / "9.md").write_text("red")
    found = propose_problem("mine", tmp_path / "mails", tmp_path).proposal.findings
    assert any(each.startswith("1 file(s) of other kinds (.md) are left out") for each in found)


def test_the_files_read_back_as_the_choices_and_nothing_is_written_over(tmp_path):
    table = rows()
    table["size: %"] = ["?" if k % 10 == 0 else str(k) for k in range(N)]
    table["# id"] = [f"x{k}" for k in range(N)]
    table["day"] = [f"0{1 + k % 9}/0{1 + k % 7}/2023" for k in range(N)]
    raw = tmp_path / "project/data/01_raw/shop"
    raw.mkdir(parents=True)
    table.to_csv(raw / "orders.csv", index=False)
    new = propose_problem("mine", raw / "orders.csv", tmp_path / "project", "kept")
    folder, page = tmp_path / "project/conf/mine", tmp_path / "profile.html"
    write_problem(new, folder, page)
    parameters = yaml.safe_load((folder / "parameters.yml").read_text())
    for choice in (each for each in new.proposal.choices if not each.is_suggestion):
        value = parameters
        for part in choice.key.split("."):
            value = value[part]
        assert value == choice.value
        assert type(value) is type(choice.value)
    assert parameters["problem"]["drop"] == ["# id"]
    entry = yaml.safe_load((folder / "catalog.yml").read_text())["raw"]
    assert (entry["path"], entry["file"]) == ("data/01_raw", {"name": "shop/orders.csv"})
    text = (folder / "parameters.yml").read_text()
    assert "# 'kept' has two values" in text
    assert "Else: " in text
    assert max(map(len, text.splitlines())) <= 120
    before = text
    with pytest.raises(DataError, match="is there already, and is not written over"):
        write_problem(new, folder, page)
    assert (folder / "parameters.yml").read_text() == before


def test_a_suggestion_alone_changes_nothing(tmp_path):
    table = rows(color=np.where(np.arange(N) % 12 == 1, "null", np.repeat(["red", "blue"], N // 2)))
    table.to_csv(tmp_path / "t.csv", index=False)
    new = propose_problem("mine", tmp_path / "t.csv", tmp_path, "kept")
    assert "# missing: ['null']" in new.parameters
    assert "reading" not in yaml.safe_load(new.parameters)["problem"]


def test_the_page_shows_names_as_they_are_and_needs_no_network(tmp_path):
    table = rows(**{"<b>&amp;": np.arange(N) / 7})
    table.to_csv(tmp_path / "t.csv", index=False)
    page = propose_problem("mine", tmp_path / "t.csv", tmp_path, "kept").page
    assert "&lt;b&gt;&amp;amp;" in page
    assert "<b>" not in page
    assert "http" not in page
    assert page.count("<svg") == 3


def test_skrubs_report_of_a_table_stands_beside_the_page(tmp_path):
    rows().to_csv(tmp_path / "t.csv", index=False)
    new = propose_problem("mine", tmp_path / "t.csv", tmp_path, "kept")
    pages = write_problem(new, tmp_path / "conf/mine", tmp_path / "one/profile.html")
    assert [page.name for page in pages] == ["profile.html", "table_report.html"]
    assert "skrub" in pages[1].read_text()
    assert 'src="http' not in pages[1].read_text()
    np.savez(tmp_path / "a.npz", images=np.arange(81).reshape(9, 3, 3), labels=np.arange(9) % 3)
    new = propose_problem("other", tmp_path / "a.npz", tmp_path)
    assert len(write_problem(new, tmp_path / "conf/other", tmp_path / "two/profile.html")) == 1


@pytest.mark.parametrize("name", ["a b", "", "../x", "ü"])
def test_a_name_that_can_be_no_folder_is_refused(tmp_path, name):
    with pytest.raises(DataError, match="cannot name a problem"):
        propose_problem(name, tmp_path / "t.csv", tmp_path)


def test_very_many_rows_are_split_each_by_itself(propose, monkeypatch):
    assert propose(rows(), "kept").value("split.method") is None
    monkeypatch.setattr("layerwise.profiling.targets.MANY_ROWS", 120)
    assert propose(rows(), "kept").value("split.method") == "hash"
    monkeypatch.setattr("layerwise.profiling.targets.MOST_IN_MEMORY", 120)
    found = next(each for each in propose(rows(), "kept").choices if each.key == "compute.out_of_core")
    assert found.value is True
    assert found.is_suggestion


def test_a_suspicious_column_of_numbers_is_kept_where_no_other_is_left(propose):
    leak = propose("x,y\n" + "".join(f"{k},{2 * k + 0.1}\n" for k in range(1, 9)), "y")
    assert leak.value("problem.drop") is None
    assert leak.value("problem.allow_leak") is True
    assert any("it is kept, as no other is left" in each for each in leak.findings)
    counted = propose("hours,passed\n" + "".join(f"{k},{'yes' if k > 6 else 'no'}\n" for k in range(1, 15)))
    assert (counted.value("problem.drop"), counted.value("problem.target")) == (None, "passed")
    assert counted.value("problem.allow_leak") is True  # training rows alone may be decided by the column
    with pytest.raises(DataError, match="no column is left from which 'y' could be learnt"):
        propose("code,y\n" + "".join(f"A-{k},{k % 2}\n" for k in range(20)), "y")


def test_a_rare_class_called_nearly_as_a_frequent_one_is_said(propose):
    kinds = ["setosa", "versicolor"] * 40 + [
        "setsoa",
        "versicolour",
        "group 1",
        *["group 2"] * 30,
        "virginica",
    ]
    found = propose("x,kind\n" + "".join(f"{k * 0.37:.2f},{kind}\n" for k, kind in enumerate(kinds)), "kind")
    (said,) = [each for each in found.findings if "slips of the pen" in each]
    assert "'setsoa' (1) for 'setosa'" in said
    assert "'versicolour' (1) for 'versicolor'" in said
    assert "virginica" not in said
    assert "group" not in said
    even = propose("x,kind\n" + "".join(f"{k * 0.37:.2f},kind {k % 3}\n" for k in range(60)), "kind")
    assert not any("slips of the pen" in each for each in even.findings)


@pytest.mark.parametrize(
    "word", ["unknown", "Unknown", "MISSING", "n.a.", "N.A.", "n.d.", "k.A.", "#VALUE!", "--"]
)
def test_one_marker_among_numbers_is_proposed_as_missing_whatever_its_case(propose, word):
    numbers = [f"{number:.2f}" for number in np.random.default_rng(0).normal(size=N)]
    assert propose(rows(x=["0.5", word, *numbers[2:]])).value("problem.reading.missing")[0] == word
