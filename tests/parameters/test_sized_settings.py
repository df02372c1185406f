"""What the rows fill in of settings: what is set stays, what is too large is refused, the rule gives the rest."""

import pytest
import torch

from layerwise.data import DataError, DataSpec, TensorData
from layerwise.parameters import RBMSettings
from layerwise.parameters.sizing import size_gan, size_mlp, size_rbm, size_several_mlps
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
    network, finetuning = size_mlp(columns, rows, rows, mlp, FinetuningSettings(epochs=None, batch_size=20))
    assert network == MLPSettings(hidden_sizes=(64, 64), activation="tanh")
    assert finetuning == FinetuningSettings(epochs=200, batch_size=20)
    assert finetuning.left_to_rule == ()


def test_settings_without_a_null_come_back_as_they_are(columns, rows):
    given = MLPSettings(hidden_sizes=(3,)), FinetuningSettings(epochs=2, batch_size="all")
    assert size_mlp(columns, rows, rows, *given) == given


def test_a_batch_that_is_set_and_larger_than_the_rows_is_refused(columns, rows):
    with pytest.raises(DataError, match=r"finetuning\.batch_size is 41, but there are only 40 training rows"):
        size_mlp(columns, rows, rows, MLPSettings(), FinetuningSettings(batch_size=41))
    with pytest.raises(DataError, match=r"gan\.batch_size is 60"):
        size_gan(columns, rows, GANSettings(batch_size=60))
    with pytest.raises(DataError, match=r"rbm\.batch_size is 100"):
        size_rbm(columns, rows, RBMSettings())


def test_one_network_of_a_table_is_an_ensemble_and_several_at_once_are_plain(columns, rows):
    mlp, open_shape = MLPSettings(), {"number_embedding": None, "ensemble_members": None}
    left = mlp.model_validate(mlp.model_dump() | open_shape)
    settings = FinetuningSettings(batch_size=10)
    assert size_mlp(columns, rows, rows, left, settings)[0].ensemble_members == 8
    assert size_several_mlps(columns, rows, rows, left, settings)[0] == mlp
    without = FinetuningSettings(batch_size=10, dropconnect=0.1)
    assert size_mlp(columns, rows, rows, left, without)[0].ensemble_members == 1
    with_bins = mlp.model_validate(mlp.model_dump() | open_shape | {"number_bins": 5})
    assert size_mlp(columns, rows, rows, with_bins, settings)[0].number_embedding == "piecewise_linear"


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
