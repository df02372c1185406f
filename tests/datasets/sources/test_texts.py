import pytest
import yaml
from kedro.io import DatasetError

from layerwise.data import DataError, PreprocessingSettings, Problem, SplitSettings, split_raw
from layerwise.data.preprocessing import (
    example_rows,
    fit_preprocessor,
    load_preprocessor,
    preprocess_rows,
    save_preprocessor,
)
from layerwise.data.sources import CountSettings, Documents, Texts, count_words, fit_vocabulary, sha256_of
from layerwise.datasets import SourceTexts

POSTS = ["A red fox", "Red, red wine!", "the fox", ""]


def load(folder, name, **given):
    return SourceTexts(path=str(folder), texts={"name": name}, **given).load()


def test_a_column_the_lines_and_a_folder_of_texts_are_the_same_documents(tmp_path):
    (tmp_path / "t.csv").write_text('id;post\n1;"A red fox"\n2;"Red, red wine!"\n3;the fox\n4;""\n')
    (tmp_path / "t.txt").write_text("\n".join(POSTS))
    for k, post in enumerate(POSTS):
        path = tmp_path / "posts" / f"{k % 2}/{k}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(post)
    assert load(tmp_path, "t.csv", column="post").texts == tuple(POSTS)
    assert load(tmp_path, "t.txt").texts == tuple(POSTS[:3])
    found = load(tmp_path, "posts")
    assert found.texts == (POSTS[0], POSTS[2], POSTS[1], POSTS[3])
    assert found.source == str(tmp_path / "posts")
    assert load(tmp_path, "t.txt").sha256 == sha256_of(tmp_path / "t.txt")
    first = found.sha256
    (tmp_path / "posts/1/3.txt").write_text("more")
    assert load(tmp_path, "posts").sha256 != first


def test_words_are_counted_exactly(tmp_path):
    words = fit_vocabulary(POSTS, CountSettings(min_df=1))
    assert words == ("fox", "red", "the", "wine")
    assert count_words(POSTS, words).toarray().tolist() == [[1, 1, 0, 0], [0, 2, 0, 1], [1, 0, 1, 0], [0] * 4]
    assert fit_vocabulary(POSTS, CountSettings()) == ("fox", "red")
    assert fit_vocabulary(POSTS, CountSettings(min_df=1, max_features=1)) == ("red",)
    assert fit_vocabulary(POSTS, CountSettings(min_df=1, stop_words="english")) == ("fox", "red", "wine")
    assert fit_vocabulary(POSTS, CountSettings(min_df=1, stop_words=("fox", "red"))) == ("the", "wine")
    assert fit_vocabulary(POSTS, CountSettings(min_df=1, max_df=0.25)) == ("the", "wine")
    with pytest.raises(DataError, match="lower min_df, which is 4"):
        fit_vocabulary(POSTS, CountSettings(min_df=4))


def texts(n=40):
    return Texts(tuple(f"{'red ' * (1 + k % 3)} common word{k}" for k in range(n)), source="s", sha256="h")


def test_the_vocabulary_is_that_of_training_documents_and_is_kept_with_the_preprocessor(tmp_path):
    raw, problem = texts(), Problem(name="t", task="documents")
    raw = Texts(raw.texts, CountSettings(min_df=1), raw.source, raw.sha256)
    split = split_raw(raw, problem, SplitSettings(), 0)
    fitted = fit_preprocessor(raw, split, problem, PreprocessingSettings(), 0)
    expected = sorted(["red", "common", *(f"word{k}" for k in split.training)])
    assert list(fitted.data_spec.feature_names) == expected
    assert (fitted.data_spec.source, fitted.data_spec.sha256) == ("s", "h")
    training, _, test = preprocess_rows(raw, split, fitted)
    at = expected.index("red")
    assert training[slice(0, None)].inputs[:, at].tolist() == [1 + k % 3 for k in split.training]
    save_preprocessor(fitted, tmp_path)
    again = load_preprocessor(tmp_path)
    new = again.count([raw.texts[k] for k in split.test])
    assert (new.matrix != test.matrix).nnz == 0
    assert again.count(["Red unknown RED"])[slice(0, None)].inputs.sum() == 2
    assert example_rows(raw, fitted)["text"].tolist() == list(raw.texts[:2])


def test_a_model_of_counts_refuses_text():
    problem = Problem(name="t", task="documents")
    raw = texts()
    words = fit_vocabulary(raw.texts, raw.settings)
    counts = Documents(count_words(raw.texts, words), words)
    split = split_raw(counts, problem, SplitSettings(), 0)
    fitted = fit_preprocessor(counts, split, problem, PreprocessingSettings(), 0)
    with pytest.raises(DataError, match="learnt from counts"):
        fitted.count(["red"])


@pytest.mark.parametrize(
    ("text", "given", "message"),
    [
        ("id,post\n1,a\n", {"column": "posts"}, "no column 'posts'; did you mean 'post'"),
        ("id,post\n1,a\n2,b,c\n", {"column": "post"}, "line 3"),
        ("id,post\n1,\n", {"column": "post"}, "holds no text"),
        ("", {}, "holds no text"),
        ("a\n", {"counting": {"min_fd": 2}}, "did you mean 'min_df'"),
        ("a\n", {"counting": {"min_df": 0}}, "min_df: .*greater than or equal to 1"),
    ],
)
def test_what_is_wrong_is_said(tmp_path, text, given, message):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(DatasetError, match=message):
        load(tmp_path, "t.csv", **given)
    (tmp_path / "empty").mkdir(exist_ok=True)
    with pytest.raises(DatasetError, match=r"holds no \.txt files"):
        load(tmp_path, "empty")


def test_an_rbm_finds_the_topics_of_a_text_column(fresh_project):
    topics = (["sun", "beach", "sea"], ["snow", "ice", "cold"])
    lines = [" ".join((topics[k % 2] * 3)[k % 4 : k % 4 + 5]) for k in range(80)]
    (fresh_project.path / "posts.csv").write_text("post\n" + "\n".join(lines) + "\n")
    folder = fresh_project.path / "conf/posts"
    folder.mkdir()
    entry = {
        "type": "layerwise.datasets.SourceTexts",
        "path": str(fresh_project.path),
        "texts": {"name": "posts.csv"},
        "column": "post",
    }
    (folder / "catalog.yml").write_text(yaml.safe_dump({"raw": entry}))
    (folder / "parameters.yml").write_text("problem:\n  name: posts\n  task: documents\n")
    fresh_project.run("rbm", env="posts", rbm={"batch_size": 20})
    run, status = fresh_project.last_run()
    assert status == "FINISHED"
    report = fresh_project.json("04_feature/posts/rbm/data_spec.json")
    assert report["feature_names"] == sorted(topics[0] + topics[1])
    metrics = dict(fresh_project.query("select key, value from latest_metrics where run_uuid=?", run))
    assert metrics["test/perplexity"] > 0
