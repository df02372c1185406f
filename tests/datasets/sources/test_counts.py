import pytest
from kedro.io import DatasetError

from layerwise.data import PreprocessingSettings, Problem, SplitSettings, split_raw
from layerwise.data.preprocessing import example_rows, fit_preprocessor, preprocess_rows
from layerwise.datasets import SourceDocuments, SourceRatings, SourceWordTable


def ratings_of(folder, text, **given):
    (folder / "r").write_text(text)
    return SourceRatings(path=str(folder), ratings={"name": "r"}, **given).load()


def test_ratings_are_numbered_by_what_is_rated_and_have_their_titles(tmp_path):
    (tmp_path / "t").write_text("1|Café (1990)|x\n20|Twenty|x\n", encoding="latin-1")
    text = "1\t20\t5\t0\n300000000\t1\t4\t0\n"
    ratings = ratings_of(tmp_path, text, titles={"name": "t"})
    assert ratings.users.tolist() == [0, 1]
    assert ratings.items.tolist() == [1, 0]
    assert ratings.values.tolist() == [5, 4]
    assert ratings.titles == ("Café (1990)", "Twenty")
    assert (ratings.user_ids, ratings.item_ids) == (("1", "300000000"), ("1", "20"))
    assert ratings_of(tmp_path, text).titles == ("item 1", "item 20")


@pytest.mark.parametrize(
    "text",
    [
        "user,film,stars\nb,7,3.5\na,7,4\n",
        "when;Stars;movieId;userId\n1;3,5;7;b\n2;4;7;a\n",
        "b::7::3.5::11\na::7::4::12\n",
        "b|7|3.5\na|7|4\n",
        "\n b , 7 ,3.5\n a , 7 ,4\n",
    ],
)
def test_any_names_and_separators_give_the_same_ratings(tmp_path, text):
    ratings = ratings_of(tmp_path, text)
    assert (ratings.users.tolist(), ratings.items.tolist()) == ([1, 0], [0, 0])
    assert ratings.values.tolist() == [3.5, 4.0]
    assert ratings.user_ids == ("a", "b")


def test_the_last_rating_of_a_pair_counts_and_that_is_said(tmp_path):
    text = "user,item,rating,when\n1,1,3,200\n1,2,4,5\n1,1,5,100\n"
    by_line = ratings_of(tmp_path, text)
    assert (by_line.items.tolist(), by_line.values.tolist()) == ([1, 0], [4, 5])
    assert "1 of 3 ratings are of a pair rated again" in by_line.notes[0]
    by_time = ratings_of(tmp_path, text, columns={"time": "when"})
    assert (by_time.items.tolist(), by_time.values.tolist()) == ([0, 1], [3, 4])
    assert ratings_of(tmp_path, "1,1,3\n1,2,4\n").notes == ()


def test_what_is_said_of_a_file_is_said_once_however_often_it_is_loaded(tmp_path, caplog):
    (tmp_path / "r.csv").write_text("user,item,rating\n1,1,3\n1,1,4\n2,1,5\n")
    source = SourceRatings(path=str(tmp_path), ratings={"name": "r.csv"})
    for _ in range(3):
        source.load()
    assert caplog.text.count("rated again") == 1


def test_half_stars_reach_the_columns_and_class_names(tmp_path):
    text = "user,item,rating\n" + "".join(
        f"{u},{i},{(u + i) % 5 / 2 + 1}\n" for u in range(6) for i in range(5)
    )
    ratings = ratings_of(tmp_path, text)
    problem = Problem(name="t", task="ratings")
    split = split_raw(ratings, problem, SplitSettings(), 0)
    fitted = fit_preprocessor(ratings, split, problem, PreprocessingSettings(), 0)
    assert fitted.data_spec.class_names == ("1", "1.5", "2", "2.5", "3")
    assert fitted.data_spec.feature_names[1] == "user 0: 1.5"
    parts = preprocess_rows(ratings, split, fitted)
    assert sum(float(part.inputs.sum()) for part in parts) == len(ratings)
    at = split.training[0]
    column = 5 * ratings.users[at] + round((ratings.values[at] - 1) * 2)
    assert parts[0].inputs[ratings.items[at], column] == 1
    assert example_rows(ratings, fitted)["user"].tolist() == ["0", "0"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty"),
        ("one\ttwo\tthree\n", "'three' of line 1 is no number"),
        ("1\t2\n", "cells"),
        ("user,item,rating\n", "'rating' of line 1"),
        ("user,item,rating\n1,2,good\n1,3,4\n", "'good' of line 2"),
        ("a,b,c\n1,2,3\n1,3,4\n", r"which column is the user.*columns: \{user: a, item: b, rating: c\}"),
        ("user,item,rating\n" + "".join(f"1,{k},{k / 7}\n" for k in range(60)), "60 different ratings"),
    ],
)
def test_other_lines_are_refused(tmp_path, text, message):
    with pytest.raises(DatasetError, match=message):
        ratings_of(tmp_path, text)


def test_a_wrong_name_of_a_column_is_refused(tmp_path):
    with pytest.raises(DatasetError, match="no column 'star' for the rating; did you mean 'stars'"):
        ratings_of(tmp_path, "u,i,stars\n1,2,3\n", columns={"rating": "star"})


def test_documents_are_counts(tmp_path):
    (tmp_path / "d").write_text("2\n3\n3\n1 1 4\n1 3 1\n2 2 7\n")
    (tmp_path / "v").write_text("red\ngreen\nblue\n")
    source = SourceDocuments(path=str(tmp_path), counts={"name": "d"}, vocabulary={"name": "v"})
    documents = source.load()
    assert documents.counts.toarray().tolist() == [[4, 0, 1], [0, 7, 0]]
    assert documents.words == ("red", "green", "blue")
    (tmp_path / "v").write_text("red\n")
    with pytest.raises(DatasetError, match="holds 1 words"):
        source.load()


@pytest.mark.parametrize("text", ["2\n3\n9\n1 1 4\n", "2\n3\n1\n5 1 4\n", "words\n"])
def test_sizes_that_do_not_agree_are_refused(tmp_path, text):
    (tmp_path / "d").write_text(text)
    with pytest.raises(DatasetError, match="no bag of words"):
        SourceDocuments(path=str(tmp_path), counts={"name": "d"}).load()


def test_a_table_of_words_is_documents(tmp_path):
    (tmp_path / "t.csv").write_text("title,red,green\nfirst,4,\nsecond,0,7\n")
    documents = SourceWordTable(path=str(tmp_path), file={"name": "t.csv"}, drop=["title"]).load()
    assert documents.counts.toarray().tolist() == [[4, 0], [0, 7]]
    assert documents.words == ("red", "green")
    assert documents.counts.format == "csr"


@pytest.mark.parametrize(
    ("drop", "cell", "message"),
    [
        ([], "1", "Column 'title' of .* name it under drop"),
        (["titel"], "1", "No column 'titel' to drop.*title"),
        (["title"], "-1", "Column 'red' .* other than counts"),
        (["title"], "0.5", "Column 'red' .* other than counts"),
    ],
)
def test_a_table_of_something_else_is_refused(tmp_path, drop, cell, message):
    (tmp_path / "t.csv").write_text(f"title,red\nfirst,{cell}\n")
    with pytest.raises(DatasetError, match=message):
        SourceWordTable(path=str(tmp_path), file={"name": "t.csv"}, drop=drop).load()
