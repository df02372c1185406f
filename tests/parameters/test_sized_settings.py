"""What the rows fill in of settings: what is set stays, what is too large is refused, the rule gives the rest."""

import pytest
import torch

from layerwise.data import DataError, DataSpec, TensorData
from layerwise.parameters import RBMSettings
from layerwise.parameters.sizing import (
    size_autoencoder,
    size_finetuning,
    size_gan,
    size_mlp,
    size_rbm,
    size_several_mlps,
)
from layerwise.training.autoencoder import AutoencoderSettings
from layerwise.training.gan import GANSettings
from layerwise.training.supervised import FinetuningSettings, MLPSettings

OPEN = {"epochs": None, "batch_size": None}


@pytest.fixture
def columns():
    return DataSpec(
        task="binary", n_inputs=3, n_outputs=1, feature_names=("a", "b", "c"), blocks=(), target_names=("y",)
    )


@pytest.fixture
def rows():
    return TensorData(torch.zeros(40, 3), torch.zeros(40, 1))


def test_what_is_null_is_filled_and_what_is_set_stays(columns, rows):
    mlp = MLPSettings(hidden_sizes=None, activation="tanh")
    finetuning = size_finetuning(columns, rows, rows, FinetuningSettings(epochs=None, batch_size=20))
    assert size_mlp(columns, rows, mlp, finetuning) == MLPSettings(hidden_sizes=(64, 64), activation="tanh")
    assert finetuning == FinetuningSettings(epochs=200, batch_size=20)
    assert finetuning.left_to_rule == ()


def test_settings_without_a_null_come_back_as_they_are(columns, rows):
    given = MLPSettings(hidden_sizes=(3,)), FinetuningSettings(epochs=2, batch_size="all")
    assert size_mlp(columns, rows, *given) == given[0]
    assert size_finetuning(columns, rows, rows, given[1]) == given[1]


def test_a_batch_that_is_set_and_larger_than_the_rows_is_refused(columns, rows):
    with pytest.raises(DataError, match=r"finetuning\.batch_size is 41, but there are only 40 training rows"):
        size_finetuning(columns, rows, rows, FinetuningSettings(batch_size=41))
    with pytest.raises(DataError, match=r"gan\.batch_size is 60"):
        size_gan(columns, rows, GANSettings(batch_size=60))
    with pytest.raises(DataError, match=r"rbm\.batch_size is 100"):
        size_rbm(columns, rows, RBMSettings())


def test_one_network_of_a_table_is_an_ensemble_and_several_at_once_are_plain(columns, rows):
    mlp, open_shape = MLPSettings(), {"number_embedding": None, "ensemble_members": None}
    left = mlp.model_validate(mlp.model_dump() | open_shape)
    settings = FinetuningSettings(batch_size=10)
    assert size_mlp(columns, rows, left, settings).ensemble_members == 8
    assert size_several_mlps(columns, rows, left, settings) == mlp
    without = FinetuningSettings(batch_size=10, dropconnect=0.1)
    assert size_mlp(columns, rows, left, without).ensemble_members == 1
    with_bins = mlp.model_validate(mlp.model_dump() | open_shape | {"number_bins": 5})
    assert size_mlp(columns, rows, with_bins, settings).number_embedding == "piecewise_linear"


def test_a_gans_batch_has_whole_packs_of_rows(columns, rows):
    assert size_gan(columns, rows, GANSettings(**OPEN, pac=3)).batch_size == 6
    assert size_gan(columns, rows, GANSettings(**OPEN, pac=10)).batch_size == 10


def test_a_gans_batch_leaves_no_row_alone(columns):
    nine = TensorData(torch.zeros(9, 3))
    assert size_gan(columns, nine, GANSettings(**OPEN)).batch_size == 9
    assert size_gan(columns, nine[:8], GANSettings(**OPEN)).batch_size == 8
    many = TensorData(torch.zeros(73, 3))  # of 8 and of 9 rows a batch one would be left
    assert size_gan(columns, many, GANSettings(**OPEN)).batch_size == 10


def test_a_run_logs_the_sizes_that_the_rows_decide(project):
    open_sizes = {"mlp": {"hidden_sizes": None}, "finetuning": {"batch_size": None, "epochs": 1}}
    project.run(
        "mlp", problem={"name": "sized"}, **open_sizes, to_nodes=["finetuning.initialize_network_mlp"]
    )
    params = dict(project.query("select key, value from params where run_uuid = ?", project.last_run()[0]))
    assert params["mlp.hidden_sizes"] == "[500, 500, 1000]"
    assert params["finetuning.batch_size"] == "100"
    assert params["finetuning.epochs"] == "1"


LEFT_TO_CHAINS = dict.fromkeys(
    ("chain", "learning_rate", "final_learning_rate", "final_momentum", "centered")
)


def columns_and_rows(image_shape):
    n = 784 if image_shape else 3
    columns = DataSpec(
        task="binary", n_inputs=n, n_outputs=1, feature_names=tuple(map(str, range(n))), blocks=(),
        target_names=("y",), image_shape=image_shape,
    )  # fmt: skip
    return columns, TensorData(torch.zeros(400, n), None)


def sized_rbm(image_shape, **given):
    settings = RBMSettings(**LEFT_TO_CHAINS | OPEN | given)
    sized = size_rbm(*columns_and_rows(image_shape), settings)
    return tuple(getattr(sized, name) for name in LEFT_TO_CHAINS)


@pytest.mark.parametrize(
    ("image_shape", "given", "expected"),
    [
        ((28, 28), {}, ("persistent", 0.05, 0.0, 0.5, True)),
        ((28, 28), {"chain": "data"}, ("data", 0.1, 0.1, 0.9, None)),
        ((28, 28), {"chain": "data", "learning_rate": 0.2}, ("data", 0.2, 0.2, 0.9, None)),
        ((28, 28), {"learning_rate": 0.1}, ("persistent", 0.1, 0.0, 0.5, True)),
        ((28, 28), {"hidden": "nrelu"}, ("data", 0.1, 0.1, 0.9, None)),
        ((28, 28), {"hidden": "gaussian"}, ("data", 0.01, 0.01, 0.9, None)),
        (None, {"hidden": "gaussian", "chain": "persistent"}, ("persistent", 0.01, 0.0, 0.5, True)),
        ((28, 28), {"visible": "gaussian"}, ("data", 0.1, 0.1, 0.9, None)),
        ((28, 28), {"dropout": 0.5}, ("data", 0.1, 0.1, 0.9, None)),
        ((28, 28), {"sample_visible": False}, ("data", 0.1, 0.1, 0.9, None)),
        (None, {}, ("data", 0.1, 0.1, 0.9, None)),
        (None, {"chain": "tempered"}, ("tempered", 0.05, 0.0, 0.5, True)),
    ],
)  # fmt: skip
def test_an_rbm_of_images_has_chains_that_last_and_what_these_need(image_shape, given, expected):
    assert sized_rbm(image_shape, **given) == expected


@pytest.mark.parametrize(
    ("image_shape", "given", "expected"),
    [
        ((28, 28), {}, 0.2),
        ((28, 28), {"averaged_epochs": 0.0}, 0.0),
        ((28, 28), {"chain": "data"}, 0.0),
        ((28, 28), {"chain": "data", "averaged_epochs": 0.5}, 0.5),
        ((28, 28), {"monitor": "validation/pseudo_likelihood"}, 0.0),
        (None, {}, 0.0),
        (None, {"chain": "tempered"}, 0.2),
    ],
)
def test_an_rbm_whose_chains_last_keeps_the_mean_of_its_last_weights(image_shape, given, expected):
    settings = RBMSettings(**LEFT_TO_CHAINS | OPEN | {"averaged_epochs": None} | given)
    assert size_rbm(*columns_and_rows(image_shape), settings).averaged_epochs == expected


def test_the_rbm_of_ratings_keeps_its_best_epoch():
    columns, rows = columns_and_rows(None)
    settings = RBMSettings(**OPEN, averaged_epochs=None, chain="persistent", centered=False)
    ratings = columns.model_copy(update={"task": "ratings"})
    assert size_rbm(columns, rows, settings).averaged_epochs == 0.2
    assert size_rbm(ratings, rows, settings).averaged_epochs == 0.0


@pytest.mark.parametrize(
    ("image_shape", "given", "expected"),
    [
        ((28, 28), {}, "gaussian"),
        ((28, 28), {"corruption": "masking"}, "masking"),
        ((28, 28), {"variant": "denoising"}, None),
        ((28, 28), {"variant": "variational"}, None),
        (None, {}, None),
    ],
)
def test_an_autoencoder_that_compresses_images_learns_with_noise(image_shape, given, expected):
    sized = size_autoencoder(*columns_and_rows(image_shape), AutoencoderSettings(**OPEN | given))
    assert sized.corruption == expected


@pytest.mark.parametrize(
    ("image_shape", "given", "expected"),
    [
        ((28, 28), {}, ("adamw", 0.004, 0.5, 64)),
        ((28, 28), {"epochs": 400}, ("adamw", 0.004, 0.17, 64)),
        ((28, 28), {"learning_rate": 0.001}, ("adamw", 0.001, 2.0, 64)),
        ((28, 28), {"latent_size": 30, "weight_decay": 0.1}, ("adamw", 0.004, 0.1, 30)),
        ((28, 28), {"optimizer": "adam"}, ("adam", 0.001, 0.0, 64)),
        ((28, 28), {"variant": "denoising"}, ("adam", 0.001, 0.0, None)),
        ((28, 28), {"variant": "sparse", "weight_decay": 0.1}, ("adamw", 0.001, 0.1, None)),
        ((8, 8), {}, ("adam", 0.001, 0.0, None)),
        (None, {}, ("adam", 0.001, 0.0, None)),
        (None, {"optimizer": "sgd"}, ("sgd", 0.001, 0.0, None)),
    ],
)
def test_an_autoencoder_that_compresses_images_learns_fast_with_weights_that_decay(
    image_shape, given, expected
):
    left_open = OPEN | {"optimizer": None, "learning_rate": None, "weight_decay": None}
    columns, rows = columns_and_rows(image_shape)
    if image_shape:
        n = image_shape[0] * image_shape[1]
        names = tuple(map(str, range(n)))
        columns = columns.model_copy(update={"n_inputs": n, "feature_names": names})
    sized = size_autoencoder(columns, rows, AutoencoderSettings(**left_open | given))
    assert (sized.optimizer, sized.learning_rate, sized.weight_decay, sized.latent_size) == expected


def test_a_gan_of_images_has_convolutions_where_both_sides_can_be_halved_twice():
    def network(image_shape, **given):
        n = image_shape[0] * image_shape[1]
        pixels = tuple(f"p{k}" for k in range(n))
        columns = DataSpec(
            task="multiclass", n_inputs=n, n_outputs=2, feature_names=pixels, blocks=(), target_names=("a", "b"),
            class_names=("a", "b"), image_shape=image_shape,
        )  # fmt: skip
        settings = GANSettings.model_validate(
            OPEN | {"network": None, "generator_learning_rate": None} | given
        )
        return size_gan(columns, TensorData(torch.zeros(100, n)), settings)

    assert network((8, 12)).network == "dcgan"
    assert network((8, 12)).generator_learning_rate == 0.004
    assert network((8, 12), r1=0.0).generator_learning_rate == 0.0002
    assert network((8, 12), generator_learning_rate=0.1).generator_learning_rate == 0.1
    assert network((8, 12), generator_sizes=(7,)).network == "mlp"
    assert network((8, 12), pac=2).network == "mlp"
    assert network((8, 12), network="mlp").generator_learning_rate == 0.0002
    assert network((9, 12)).network == "mlp"
    assert network((128, 64)).network == "mlp"


def test_documents_have_fifty_topics_learnt_from_sampled_counts(columns, rows):
    documents = columns.model_copy(update={"task": "documents"})
    null = dict.fromkeys(("n_hidden", "learning_rate", "final_learning_rate", "chain", "steps"))
    found = size_rbm(documents, rows, RBMSettings(**OPEN, **null))
    assert found.steps == 10
    assert size_rbm(documents, range(501), RBMSettings(**OPEN, **null)).steps == 5
    assert size_rbm(documents, range(2001), RBMSettings(**OPEN, **null)).steps == 1
    assert size_rbm(documents, rows, RBMSettings(**OPEN, **null | {"steps": 2})).steps == 2
    assert size_rbm(columns, rows, RBMSettings(**OPEN, **null)).steps == 1
    assert (found.n_hidden, found.learning_rate, found.final_learning_rate) == (50, 0.03, 0.0)
    assert (found.chain, found.sample_visible) == ("data", True)
    set_ones = size_rbm(
        documents, rows, RBMSettings(**OPEN, n_hidden=9, learning_rate=0.1, sample_visible=False)
    )
    assert (set_ones.n_hidden, set_ones.learning_rate, set_ones.sample_visible) == (9, 0.1, False)
    table = size_rbm(columns, rows, RBMSettings(**OPEN, **null))
    assert (table.n_hidden, table.learning_rate, table.sample_visible) == (16, 0.1, None)
