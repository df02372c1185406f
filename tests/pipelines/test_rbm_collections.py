"""Ratings and documents through the rbm pipeline, on small files of the formats that the real ones have."""

import numpy as np
import pytest

TASTES = 3


def write_environment(project, name, source, files, task, **rbm):
    import yaml

    folder = project.path / "conf" / name
    folder.mkdir()
    entry = {"type": f"layerwise.datasets.sources_counts.{source}", "path": "data/01_raw", **files}
    (folder / "catalog.yml").write_text(yaml.safe_dump({"raw": entry}))
    parameters = {"problem": {"name": name, "task": task}, "rbm": rbm}
    (folder / "parameters.yml").write_text(yaml.safe_dump(parameters))


@pytest.fixture(scope="module")
def ratings(project):
    """Ratings by users of three tastes: high for a third of the movies, low for the others."""
    rng = np.random.default_rng(0)
    lines = []
    for user in range(90):
        for movie in rng.permutation(60)[:30]:
            is_liked = movie % TASTES == user % TASTES
            value = rng.choice([4, 5]) if is_liked else rng.choice([1, 2])
            lines.append(f"{user + 1}\t{movie + 1}\t{value}\t0")
    raw = project.path / "data/01_raw"
    (raw / "u.data").write_text("\n".join(lines) + "\n")
    titles = "\n".join(f"{k + 1}|Movie {k + 1} (1999)|x" for k in range(60))
    (raw / "u.item").write_text(titles + "\n", encoding="latin-1")
    files = {"ratings": {"name": "u.data"}, "titles": {"name": "u.item"}}
    write_environment(project, "tastes", "SourceRatings", files, "ratings", learning_rate=0.5)
    project.run("rbm", env="tastes", rbm={"n_hidden": 12, "epochs": 15, "batch_size": 20})
    return project


def test_held_out_ratings_are_predicted_better_than_by_means(ratings):
    found = ratings.json("08_reporting/tastes/rbm/recommendation.json")
    assert found["rmse"] < 0.8 * min(found["global_mean"], found["item_mean"], found["user_mean"])
    assert found["rmse"] > 0.45  # half a point is the noise of the generated ratings
    history = ratings.json("07_model_output/tastes/rbm/rbm_history.json")["epochs"]
    assert min(epoch["validation/rmse"] for epoch in history) < 0.9 * history[0]["validation/rmse"]


def test_every_rating_is_in_one_part(ratings):
    catalog = ratings.catalog(env="tastes")
    parts = [catalog.load(f"rbm.{name}").inputs for name in ("training", "validation", "test")]
    assert [part.shape for part in parts] == [(60, 360)] * 3
    assert sum(int(part.sum()) for part in parts) == 2700
    assert float(sum(parts).max()) == 1
    data_spec = ratings.json("04_feature/tastes/rbm/data_spec.json")
    assert data_spec["class_names"] == ["1", "2", "4", "5"]


def test_rows_may_be_users(ratings):
    settings = {"n_hidden": 12, "epochs": 2, "batch_size": 20}
    ratings.run(
        "rbm", env="tastes", rbm=settings, preprocessing={"ratings_by": "users"}, problem={"name": "by_users"}
    )
    assert ratings.catalog(env="tastes", problem={"name": "by_users"}).load("rbm.test").inputs.shape == (
        90,
        240,
    )


@pytest.fixture(scope="module")
def documents(project):
    """Documents of two topics, words 1 to 5 and 6 to 10."""
    rng = np.random.default_rng(0)
    lines = []
    for document in range(200):
        words = rng.integers(1, 6, size=20) + 5 * (document % 2)
        for word, count in zip(*np.unique(words, return_counts=True), strict=True):
            lines.append(f"{document + 1} {word} {count}")
    raw = project.path / "data/01_raw"
    (raw / "docword.txt").write_text("\n".join(["200", "10", str(len(lines)), *lines]) + "\n")
    (raw / "vocab.txt").write_text("\n".join("abcdefghij") + "\n")
    files = {"counts": {"name": "docword.txt"}, "vocabulary": {"name": "vocab.txt"}}
    write_environment(project, "two_topics", "SourceDocuments", files, "documents", sample_visible=True)
    settings = {
        "n_hidden": 2,
        "epochs": 60,
        "batch_size": 20,
        "learning_rate": 0.05,
        "perplexity_documents": 20,
    }
    settings["likelihood"] = {"temperatures": 300, "reverse_steps": 20}
    project.run("rbm", env="two_topics", rbm=settings)
    return project


def test_perplexity_stands_beside_lda_and_top_words_come_from_the_vocabulary(documents):
    found = documents.json("08_reporting/two_topics/rbm/topics.json")
    assert found["unigram_perplexity"] == pytest.approx(10, rel=0.1)
    assert max(found["perplexity"], found["perplexity_reverse_ais"]) < 7
    assert 4 < found["lda_perplexity"] < 8
    for unit in found["top_words"]:
        assert set(unit[:5]) in (set("abcde"), set("fghij"))


@pytest.mark.parametrize(("env", "pipeline"), [("tastes", "mlp"), ("two_topics", "dbn")])
def test_supervised_pipelines_refuse_ratings_and_documents(ratings, documents, env, pipeline):
    with pytest.raises(ValueError, match="run --pipelines=rbm"):
        ratings.run(pipeline, env=env)


@pytest.mark.parametrize("name", ["latent_map", "filters", "hidden_activations", "learning_curves"])
def test_figures_are_drawn(ratings, documents, name):
    for env in ("tastes", "two_topics"):
        assert (ratings.path / f"data/08_reporting/{env}/rbm/{name}.png").stat().st_size > 5000


def test_an_autoencoder_recommends_better_than_means(ratings):
    settings = {
        "variant": "denoising",
        "latent_size": 12,
        "epochs": 60,
        "batch_size": 20,
        "learning_rate": 0.01,
    }
    ratings.run("autoencoder", env="tastes", autoencoder=settings | {"rating_l2": 0.01})
    found = ratings.json("08_reporting/tastes/autoencoder/recommendation.json")
    assert found["rmse"] < 0.8 * min(found["global_mean"], found["item_mean"], found["user_mean"])
    assert found["rmse"] > 0.45
