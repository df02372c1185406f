import pytest
from kedro.io import DatasetError

from layerwise.datasets import SourceDocuments, SourceRatings, SourceWordTable


def test_ratings_are_numbered_from_zero_and_have_their_titles(tmp_path):
    (tmp_path / "r").write_text("1\t2\t5\t0\n3\t1\t4\t0\n")
    (tmp_path / "t").write_text("1|Café (1990)|x\n2|Two|x\n", encoding="latin-1")
    ratings = SourceRatings(path=str(tmp_path), ratings={"name": "r"}, titles={"name": "t"}).load()
    assert ratings.users.tolist() == [0, 2]
    assert ratings.items.tolist() == [1, 0]
    assert ratings.values.tolist() == [5, 4]
    assert ratings.titles == ("Café (1990)", "Two")
    assert SourceRatings(path=str(tmp_path), ratings={"name": "r"}).load().titles == ("item 1", "item 2")


@pytest.mark.parametrize("text", ["", "0\t1\t5\n", "one\ttwo\tthree\n", "1\t2\n"])
def test_other_lines_are_refused(tmp_path, text):
    (tmp_path / "r").write_text(text)
    with pytest.raises(DatasetError, match=r"user|numbered"):
        SourceRatings(path=str(tmp_path), ratings={"name": "r"}).load()


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
