import numpy as np
import pandas as pd
import pytest
from helpers.model_doors import answers, assert_same_numbers, from_http, from_pipeline, registered
from helpers.small_collections import two_topics, write_environment

from layerwise.data import DataError
from layerwise.inference.tasks import answer_rows
from layerwise.parameters import TaskSettings

WORDS = np.array(["rocket", "orbit", "moon", "star", "comet", "goal", "team", "player", "match", "league"])
QUICK = {"n_hidden": 2, "epochs": 60, "batch_size": 20, "learning_rate": 0.05, "perplexity_documents": 5}
QUICK |= {"sample_visible": True, "likelihood": {"temperatures": 20, "reverse_steps": 2}}


def as_texts(documents):
    return [" ".join(WORDS[words]) for words in documents]


@pytest.fixture(scope="module")
def texts(project):
    """A network of documents in a column `body`, registered as `asked_texts.rbm`."""
    table = pd.DataFrame({"id": range(200), "body": as_texts(two_topics())})
    table.to_csv(project.path / "data/01_raw/texts.csv", index=False)
    files = {"texts": {"name": "texts.csv"}, "column": "body"}
    write_environment(project, "asked_texts", "SourceTexts", files, "documents", rbm=QUICK)
    project.run("rbm", env="asked_texts")
    return "asked_texts.rbm"


@pytest.fixture(scope="module")
def counts(project):
    """The same documents as a table of counts, registered as `asked_counts.rbm`."""
    rows = [np.bincount(words, minlength=10) for words in two_topics()]
    pd.DataFrame(rows, columns=WORDS).to_csv(project.path / "data/01_raw/counts.csv", index=False)
    files = {"file": {"name": "counts.csv"}}
    write_environment(project, "asked_counts", "SourceWordTable", files, "documents", rbm=QUICK)
    project.run("rbm", env="asked_counts")
    return "asked_counts.rbm"


@pytest.fixture(scope="module")
def new_documents():
    """Six documents, three of each topic."""
    return two_topics(6, seed=3)


@pytest.mark.parametrize("task", ["topics", "encode"])
def test_every_door_answers_the_same_of_texts(project, texts, new_documents, task, tmp_path):
    frame = pd.DataFrame({"body": as_texts(new_documents)})
    file = tmp_path / "new.csv"
    frame.to_csv(file, index=False)
    found = answers(project, texts, file, frame, task=task)
    assert_same_numbers(found)
    assert found["pipeline"]["body"].tolist() == frame["body"].tolist()


@pytest.mark.parametrize("task", ["topics", "encode"])
def test_every_door_answers_the_same_of_counts(project, counts, new_documents, task, tmp_path):
    frame = pd.DataFrame([np.bincount(words, minlength=10) for words in new_documents], columns=WORDS)
    file = tmp_path / "new.csv"
    frame.to_csv(file, index=False)
    assert_same_numbers(answers(project, counts, file, frame.astype(float), task=task))


def test_documents_have_the_topic_of_their_words(project, texts, new_documents):
    found = answer_rows(
        registered(project, texts), pd.DataFrame({"text": as_texts(new_documents)}), TaskSettings()
    )
    for k, words in enumerate(found["words_1"]):
        own = WORDS[:5] if k % 2 == 0 else WORDS[5:]
        assert set(words.split()[:5]) == set(own)
    assert found.loc[::2, "topic_1"].nunique() == found.loc[1::2, "topic_1"].nunique() == 1
    assert (found["activation_1"] > found["activation_2"]).all()


def test_the_activations_of_topics_are_the_columns_of_encode(project, texts, new_documents):
    frame = pd.DataFrame({"text": as_texts(new_documents)})
    model = registered(project, texts)
    encoded, topics = (answer_rows(model, frame, TaskSettings(task=task)) for task in ("encode", "topics"))
    for k, row in topics.iterrows():
        assert row["activation_1"] == encoded.loc[k, f"hidden_{row['topic_1']}"]


def test_a_folder_of_txt_files_is_answered_by_file_name(project, texts, new_documents, tmp_path):
    folder = tmp_path / "documents"
    folder.mkdir()
    for k, text in enumerate(as_texts(new_documents)):
        (folder / f"{k}.txt").write_text(text)
    (folder / "9.txt").write_text("nothing of this is known")
    found = from_pipeline(project, texts, folder, task="topics")
    assert found["file"].tolist() == [*(f"{k}.txt" for k in range(6)), "9.txt"]
    expected = answer_rows(
        registered(project, texts), pd.DataFrame({"text": as_texts(new_documents)}), TaskSettings()
    )
    pd.testing.assert_frame_equal(found.loc[:5, list(expected)], expected, check_dtype=False)
    assert found["error"].isna()[:6].all()
    assert found["error"][6] == "none of the document's words is among those that the model learnt from"


def test_the_problems_own_documents_are_an_input(project, texts, counts):
    for name in (texts, counts):
        found = from_pipeline(project, name, "raw", env=name.partition(".")[0], task="topics")
        assert len(found) == 200
        assert found["error"].isna().all()


def test_wrong_documents_are_refused_with_their_reason(project, texts, counts):
    model = registered(project, counts)
    frame = pd.DataFrame({"rocket": [1, -1, 0], "team": [0, 2, 0]})
    status, response = from_http(model, frame)
    assert status == 200
    assert [each.get("error", "") for each in response["predictions"]] == [
        "",
        "the count of rocket is no whole number from 0",
        "none of the document's words is among those that the model learnt from",
    ]
    with pytest.raises(DataError, match="it learnt from counts of words, and reads no text"):
        answer_rows(model, pd.DataFrame({"text": ["rocket"]}), TaskSettings())
    with pytest.raises(DataError, match="no column 'body' or 'text'"):
        answer_rows(registered(project, texts), pd.DataFrame({"a": ["x"], "b": ["y"]}), TaskSettings())
    status, response = from_http(
        registered(project, texts), pd.DataFrame({"text": ["rocket"]}), task="anomaly"
    )
    assert "has no task anomaly; its tasks: topics, encode" in response["message"]


def test_lines_of_a_file_are_documents_where_training_read_lines(project, new_documents, tmp_path):
    (project.path / "data/01_raw/lines.txt").write_text("\n".join(as_texts(two_topics())))
    files = {"texts": {"name": "lines.txt"}}
    write_environment(project, "asked_lines", "SourceTexts", files, "documents", rbm=QUICK)
    project.run("rbm", env="asked_lines")
    file = tmp_path / "more.txt"
    file.write_text("\n".join(as_texts(new_documents)) + "\n")
    found = from_pipeline(project, "asked_lines.rbm", file, task="topics")
    assert found["row"].tolist() == list(range(6))
    assert found["topic_1"].nunique() == 2
