"""Ratings and documents through the rbm pipeline, on small files of the formats that the real ones have."""

import numpy as np
import pytest
import torch
from helpers.small_collections import two_topics, write_environment, write_ratings

from layerwise.data import ColumnBlock, DataError, DataSpec
from layerwise.models.rbm import RBM, RBMConfig
from layerwise.parameters import ParameterError
from layerwise.pipelines.rbm.figure_nodes import plot_strongest_columns
from layerwise.utils import torch_rng


@pytest.fixture(scope="module")
def ratings(project):
    """Ratings by users of three tastes."""
    write_ratings(project, "tastes", rbm={"learning_rate": 0.5})
    project.run("rbm", env="tastes", rbm={"n_hidden": 12, "epochs": 15, "batch_size": 20})
    return project


def test_held_out_ratings_are_predicted_better_than_by_means(ratings):
    found = ratings.json("08_reporting/tastes/rbm/recommendation.json")
    assert found["rmse"] < 0.8 * min(found["global_mean"], found["item_mean"], found["user_mean"])
    assert found["rmse"] > 0.45  # half a point is the noise of the generated ratings
    history = ratings.json("07_model_output/tastes/rbm/rbm_history.json")["epochs"]
    assert min(epoch["validation/rmse"] for epoch in history) < 0.9 * history[0]["validation/rmse"]


def test_items_are_ranked_better_than_by_popularity(ratings):
    found = ratings.json("08_reporting/tastes/rbm/ranking.json")
    assert found["network"][0] > 1.2 * found["popularity"][0]
    assert 60 < found["users"] <= 90


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


def test_the_weights_of_an_rbm_of_ratings_are_not_averaged(ratings):
    with pytest.raises(ParameterError, match=r"averaged_epochs: of ratings the epoch of the least"):
        ratings.run("rbm", env="tastes", rbm={"averaged_epochs": 0.5})


@pytest.fixture(scope="module")
def documents(project):
    """Documents of two topics, words 1 to 5 and 6 to 10."""
    lines = []
    for document, words in enumerate(two_topics()):
        for word, count in zip(*np.unique(words, return_counts=True), strict=True):
            lines.append(f"{document + 1} {word + 1} {count}")
    raw = project.path / "data/01_raw"
    (raw / "docword.txt").write_text("\n".join(["200", "10", str(len(lines)), *lines]) + "\n")
    (raw / "vocab.txt").write_text("\n".join("abcdefghij") + "\n")
    files = {"counts": {"name": "docword.txt"}, "vocabulary": {"name": "vocab.txt"}}
    write_environment(
        project, "two_topics", "SourceDocuments", files, "documents", rbm={"sample_visible": True}
    )
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


@pytest.mark.parametrize(("env", "kind"), [("tastes", "ratings"), ("two_topics", "documents")])
def test_to_evaluate_a_model_of_collections_names_its_card(ratings, documents, env, kind):
    path = ratings.path / "rows.csv"
    path.write_text("a,b,c\n1,2,3\n")
    with pytest.raises(DataError, match=f"a model of {kind} predicts no targets .* stands on its card"):
        ratings.run("evaluate", evaluate={"model": f"{env}.rbm@champion", "input": str(path)})


@pytest.mark.figures
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


def test_a_word_that_several_units_have_the_largest_weight_of_is_one_line():
    rbm = RBM(RBMConfig(n_visible=4, n_hidden=3), torch_rng(0, "w"))
    with torch.no_grad():
        rbm.weight.copy_(
            torch.tensor([[9.0, 8.0, 7.0], [5.0, 0.0, 6.0], [0.0, 7.0, 0.0], [-9.0, -8.0, -7.0]])
        )
    words = ("goal", "score", "coach", "soup")
    block = ColumnBlock(name="words", kind="count", start=0, stop=4)
    columns = DataSpec(
        task="documents", n_inputs=4, n_outputs=1, feature_names=words, blocks=(block,), target_names=()
    )
    labels = plot_strongest_columns(rbm, columns).axes[0].get_yticklabels()
    names = [label.get_text() for label in labels]
    assert len(names) == len(set(names)) > 1
