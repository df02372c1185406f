import math

import numpy as np
import torch
from helpers import small_rbms as m
from sklearn.linear_model import Ridge

from layerwise.evaluation.unsupervised import expected_ratings, fit_recommender, rating_matrix
from layerwise.models import Recommender, RecommenderConfig, load_network, save_network
from layerwise.models.autoencoder import RatingAutoencoder, RatingAutoencoderConfig
from layerwise.models.rbm import rating_probabilities

LEVELS = [1.0, 2.0, 5.0]


def make_recommender(n_items=12, latent_size=3, **config):
    found = Recommender(RecommenderConfig(n_items=n_items, latent_size=latent_size, **config))
    rng = torch.Generator().manual_seed(0)
    found.latents.normal_(generator=rng)
    found.item_means.uniform_(1, 5, generator=rng)
    return found


def test_a_new_user_is_a_ridge_regression_on_the_items_latents():
    found = make_recommender(ridge=3.0)
    ratings = torch.full((12,), torch.nan)
    ratings[[1, 4, 5, 9]] = torch.tensor([5.0, 1.0, 2.0, 5.0])
    rated = [1, 4, 5, 9]
    rest = (ratings - found.item_means)[rated].numpy().astype(float)
    intercept = rest.sum() / (4 + 5)
    ridge = Ridge(alpha=3.0, fit_intercept=False).fit(
        found.latents[rated].numpy().astype(float), rest - intercept
    )
    expected = found.item_means.numpy() + intercept + ridge.predict(found.latents.numpy().astype(float))
    np.testing.assert_allclose(found.fold_in(ratings), expected, rtol=1e-9)


def test_without_ratings_a_user_is_expected_to_give_the_items_means():
    found = make_recommender()
    torch.testing.assert_close(found.fold_in(torch.full((12,), torch.nan)), found.item_means.double())


def test_scores_add_the_logarithm_of_interest_to_weighted_ratings():
    found = make_recommender(3, 0, n_neighbors=2, rating_weight=2.0)
    found.popularity.copy_(torch.tensor([0.5, 0.2, 0.1]))
    found.neighbors.copy_(torch.tensor([[1, 2], [0, 2], [0, 1]]))
    found.similarities.copy_(torch.tensor([[0.5, 0.25], [0.5, 0.125], [0.25, 0.125]]))
    ratings = torch.tensor([[torch.nan, 5.0, torch.nan], [1.0, 1.0, torch.nan]])
    assert found.interest(~ratings.isnan()).tolist() == [[0.5, 0, 0.125], [0.5, 0.5, 0.375]]
    expected = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 1.0]])
    interest = np.array([[0.505, 0.002, 0.126], [0.505, 0.502, 0.376]]) + 1e-6
    np.testing.assert_allclose(
        found.scores(ratings, expected), np.log(interest) + 2 * expected.numpy(), rtol=1e-6
    )


def test_a_users_scores_have_the_same_bits_at_any_place_among_others():
    found = make_recommender(300, 5, n_neighbors=40)
    rng = torch.Generator().manual_seed(1)
    found.neighbors.copy_(torch.rand(300, 300, generator=rng).argsort(1)[:, :40])
    found.similarities.uniform_(generator=rng)
    found.popularity.uniform_(generator=rng)
    ratings = torch.randint(1, 6, (70, 300), generator=rng).float()
    ratings[torch.rand(70, 300, generator=rng) < 0.9] = torch.nan
    network = torch.nn.Identity()

    def scores(users):
        return found.scores(users, expected_ratings(network, found, users, [1.0, 5.0]))

    together = scores(ratings)
    dense = torch.zeros(300, 300).double().scatter_(1, found.neighbors, found.similarities.double())
    torch.testing.assert_close(found.interest(~ratings.isnan()), (~ratings.isnan()).double() @ dense.T)
    for place in (0, 1, 33, 69):
        assert torch.equal(scores(ratings[place : place + 1])[0], together[place])
    assert torch.equal(scores(ratings.flip(0)).flip(0), together)


def test_a_network_of_users_predicts_by_itself_and_each_user_alone():
    rbm = m.make_rbm("softmax")
    given = torch.tensor([[1.0, torch.nan], [torch.nan, 5.0], [2.0, 2.0]])
    recommender = make_recommender(2, 0)
    found = expected_ratings(rbm.float(), recommender, given, LEVELS)
    one_hot = torch.tensor([[1, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 1], [0, 1, 0, 0, 1, 0]], dtype=torch.float32)
    rows, items = torch.arange(3).repeat_interleave(2), torch.tensor([0, 1] * 3)
    p = rating_probabilities(rbm, one_hot, rows, items, 3)
    torch.testing.assert_close(found, (p @ torch.tensor(LEVELS)).view(3, 2).double())
    alone = torch.cat([expected_ratings(rbm, recommender, user[None], LEVELS) for user in given])
    assert torch.equal(found, alone)


def test_the_ratings_of_an_autoencoder_of_users_are_its_own():
    config = RatingAutoencoderConfig(n_groups=2, levels=tuple(LEVELS), latent_size=2)
    network = RatingAutoencoder(config, torch.Generator().manual_seed(0))
    given = torch.tensor([[1.0, torch.nan]])
    row = torch.tensor([[1.0, 0, 0, 0, 0, 0]])
    found = expected_ratings(network, make_recommender(2, 0), given, LEVELS)
    torch.testing.assert_close(found, network(row).detach().clamp(1, 5).double())


def test_ratings_are_read_by_users_whatever_a_row_is():
    rows = torch.tensor([[0, 1, 0, 0, 0, 0], [0, 0, 0, 0, 0, 1.0]])
    expected = torch.tensor([[2.0, torch.nan], [torch.nan, 5.0]])
    torch.testing.assert_close(rating_matrix(rows, LEVELS, False), expected, equal_nan=True)
    torch.testing.assert_close(rating_matrix(rows, LEVELS, True), expected.T, equal_nan=True)


def test_what_is_known_of_items_is_counted_in_training_ratings_and_survives_storage(tmp_path):
    config = RatingAutoencoderConfig(n_groups=3, levels=tuple(LEVELS), latent_size=2)
    network = RatingAutoencoder(config, torch.Generator().manual_seed(0))
    training = torch.zeros(2, 9)
    # Two items, three users: item 0 has 5 and 1, item 1 has 2.
    training[0, [2, 3]], training[1, 1] = 1, 1
    validation = torch.zeros(2, 9)
    validation[1, 8] = 1
    found, expected, item_knn = fit_recommender(network, training, validation, LEVELS, by_items=True)
    torch.testing.assert_close(found.popularity, torch.tensor([2 / 3, 1 / 3]))
    assert expected.shape == (3, 2)
    # User 0 has rated both items, user 1 the first alone.
    cosine = 1 / (math.sqrt(2) + 10)
    np.testing.assert_allclose(item_knn, [[cosine, cosine], [0, cosine], [0, 0]])
    mean = (5 + 1 + 2) / 3
    means = [mean + (6 - 2 * mean) / 7, mean + (2 - mean) / 6]
    np.testing.assert_allclose(found.item_means, means, rtol=1e-6)
    save_network(found, tmp_path)
    read = load_network(tmp_path)
    assert read.config == found.config
    assert all(torch.equal(a, b) for a, b in zip(read.buffers(), found.buffers(), strict=True))
