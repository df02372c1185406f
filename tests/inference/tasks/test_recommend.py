import pandas as pd
import pytest
from helpers.model_doors import answers, assert_same_numbers, from_http, from_pipeline, registered
from helpers.small_collections import TASTES, rating_lines, write_ratings

from layerwise.data import DataError
from layerwise.inference.tasks import answer_rows
from layerwise.parameters import TaskSettings

QUICK = {"n_hidden": 12, "epochs": 15, "batch_size": 20, "learning_rate": 0.5}


@pytest.fixture(scope="module", params=["items", "users"])
def name(request, project):
    """Networks whose rows are items, or users, registered under these names."""
    problem = f"asked_by_{request.param}"
    write_ratings(project, problem)
    project.run("rbm", env=problem, rbm=QUICK, preprocessing={"ratings_by": request.param})
    return f"{problem}.rbm"


@pytest.fixture(scope="module")
def new_users():
    """Ratings of users of whom training knows nothing: half of theirs."""
    lines = list(rating_lines(6, seed=5))
    frame = pd.DataFrame(lines, columns=["user", "item", "rating"])
    return frame.assign(user="new " + frame["user"].astype(str), rating=frame["rating"].astype(float))


def test_every_door_recommends_the_same(project, name, new_users, tmp_path):
    file = tmp_path / "ratings.csv"
    new_users.to_csv(file, index=False)
    found = answers(project, name, file, new_users, task="recommend", n=4)
    assert_same_numbers({door: answer.astype({"item": int}) for door, answer in found.items()})
    assert len(found["pyfunc"]) == 6 * 4
    assert found["http"].columns.tolist() == ["user", "rank", "item", "title", "expected_rating"]
    # A file without a header, as MovieLens has it.
    bare = tmp_path / "ratings.data"
    new_users.to_csv(bare, index=False, header=False, sep="\t")
    again = from_pipeline(project, name, bare, task="recommend", n=4)
    pd.testing.assert_frame_equal(again, found["pipeline"])


def test_new_users_get_items_of_their_taste_that_they_have_not_rated(project, name, new_users):
    found = answer_rows(registered(project, name), new_users, TaskSettings(task="recommend", n=5))
    taste = found["user"].str.removeprefix("new ").astype(int) - 1
    fits = (found["item"].astype(int) - 1) % TASTES == taste % TASTES
    assert fits.mean() > 0.8
    assert found.groupby("user")["rank"].apply(list).tolist() == [[1, 2, 3, 4, 5]] * 6
    both = found.merge(new_users.astype({"item": str}), on=["user", "item"])
    assert both.empty
    assert (found["title"] == "Movie " + found["item"] + " (1999)").all()


def test_a_users_items_are_the_same_beside_others_and_by_title(project, name, new_users):
    model, asked = registered(project, name), TaskSettings(task="recommend")
    together = answer_rows(model, new_users, asked)
    alone = new_users[new_users["user"] == "new 3"].copy()
    alone["item"] = "Movie " + alone["item"].astype(str) + " (1999)"
    expected = together[together["user"] == "new 3"].reset_index(drop=True)
    pd.testing.assert_frame_equal(answer_rows(model, alone, asked), expected)


def test_the_champion_predicts_new_users_ratings_better_than_the_items_means(project, name):
    frame = pd.DataFrame(rating_lines(40, seed=9), columns=["user", "item", "rating"])
    given = frame.groupby("user").head(20)
    rest = frame.drop(given.index).astype({"item": str})
    found = answer_rows(registered(project, name), given, TaskSettings(task="recommend", n=60))
    both = found.astype({"user": int}).merge(rest, on=["user", "item"])
    assert len(both) == len(rest)
    errors = (both["expected_rating"] - both["rating"]).abs()
    by_means = (both.groupby("item")["rating"].transform("mean") - both["rating"]).abs()
    assert errors.mean() < 0.75 * by_means.mean()


def test_lines_that_cannot_be_used_are_refused_with_their_reason(project, name, new_users, tmp_path):
    wrong = new_users.astype({"item": object}).copy()
    wrong.loc[1, "item"], wrong.loc[2, "rating"] = "Movie 7 (1998)", 3.0
    model = registered(project, name)
    with pytest.raises(
        DataError, match=r"row 1: the item 'Movie 7 \(1998\)' has no rating in training; did you"
    ):
        answer_rows(model, wrong, TaskSettings())
    status, response = from_http(model, wrong, n=1)
    assert status == 200
    assert [each.get("row") for each in response["predictions"]] == [None] * 6 + [1, 2]
    assert response["predictions"][-1] == {"row": 2, "error": "the rating '3' is none of 1, 2, 4, 5"}
    file = tmp_path / "wrong.csv"
    wrong.to_csv(file, index=False)
    out = tmp_path / "out.csv"
    project.run("predict", predict={"model": name, "input": str(file), "output": str(out), "n": 1})
    found = pd.read_csv(out)
    assert len(found) == 8
    assert found["error"].dropna().str[:6].tolist() == ["row 1:", "row 2:"]


@pytest.mark.parametrize(
    ("frame", "params", "words"),
    [
        ({"item": ["1"]}, {}, "no column is called like the ratings: name one rating; there are item"),
        ({"item": ["x"], "rating": [5]}, {}, "the item 'x' has no rating in training"),
        ({"item": ["1"], "rating": [5]}, {"task": "encode"}, "has no task encode; its tasks: recommend"),
        ({"item": ["1"], "rating": [5]}, {"steps": 3}, "the task recommend has no use for steps; it reads n"),
    ],
)
def test_wrong_requests_get_one_sentence(project, name, frame, params, words):
    status, response = from_http(registered(project, name), pd.DataFrame(frame), **params)
    assert status == 400
    assert words in response["message"]


def test_the_problems_own_ratings_are_an_input(project, name, tmp_path):
    env, out = name.partition(".")[0], tmp_path / "own.csv"
    project.run("predict", env=env, predict={"model": name, "input": "raw", "output": str(out), "n": 2})
    assert len(pd.read_csv(out)) == 2 * 90


def test_recommendations_go_into_a_parquet_file(project, name, new_users, tmp_path):
    file, out = tmp_path / "ratings.csv", tmp_path / "out.parquet"
    new_users.to_csv(file, index=False)
    project.run("predict", predict={"model": name, "input": str(file), "output": str(out), "n": 3})
    expected = answer_rows(registered(project, name), new_users, TaskSettings(n=3))
    pd.testing.assert_frame_equal(pd.read_parquet(out)[list(expected)], expected, check_dtype=False)
