"""A GAN of a table: its rows have the table's columns, types and conditions, and the pipeline's weights."""

import numpy as np
import pandas as pd
import pytest
import torch

import layerwise
from layerwise.data import (
    PreprocessingSettings,
    Problem,
    RowKeys,
    Split,
    SplitSettings,
    split_rest,
    split_seed,
)
from layerwise.data.preprocessing import fit_preprocessor, preprocess_rows
from layerwise.estimators import TabularGAN
from layerwise.parameters.sizing import size_gan
from layerwise.pipelines.gan.tables import encode_rows, train_table_gan
from layerwise.training.gan import GANSettings
from layerwise.utils import UserError

SMALL = {"generator_sizes": (16,), "discriminator_sizes": (16,), "latent_size": 8, "random_state": 2}


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    country = rng.choice(["France", "Spain"], 240, p=[0.8, 0.2])
    return pd.DataFrame(
        {
            "income": np.where(country == "Spain", 20.0, 50.0) + rng.normal(0, 3, 240),
            "children": rng.integers(0, 4, 240),
            "country": country,
            "left": rng.random(240) < 0.3,
        }
    )


@pytest.fixture(scope="module")
def gan(table):
    return TabularGAN("country", epochs=3, **SMALL).fit(table)


def test_samples_have_the_columns_and_types_of_the_table_and_its_values(gan, table):
    rows = gan.sample(50)
    assert list(rows) == list(table)
    assert rows.dtypes.equals(table.dtypes)
    assert set(rows["children"]) <= set(table["children"])
    assert set(rows["country"]) <= {"France", "Spain"}


def test_conditions_hold_in_every_row(gan):
    rows = gan.sample(30, {"country": "Spain", "left": True})
    assert set(rows["country"]) == {"Spain"}
    assert rows["left"].all()
    given = pd.DataFrame({"country": ["Spain", None, "France"], "children": [2, 1, None]})
    each = gan.sample(conditions=given)
    assert each["country"][[0, 2]].tolist() == ["Spain", "France"]
    assert each["children"][:2].tolist() == [2, 1]


def test_longer_training_learns_what_depends_on_the_condition(table):
    gan = TabularGAN(
        "country", epochs=25, **SMALL, generator_learning_rate=4e-3, discriminator_learning_rate=4e-3
    ).fit(table)
    means = [
        gan.sample(60, {"country": name}, random_state=0)["income"].mean() for name in ("France", "Spain")
    ]
    assert means[0] > means[1] + 10  # they differ by 30


def test_a_seed_draws_the_same_rows_and_a_saved_one_does_too(gan, tmp_path):
    assert gan.sample(5).equals(gan.sample(5))
    assert not gan.sample(5, random_state=8).equals(gan.sample(5, random_state=9))
    two = TabularGAN.load(gan.save(tmp_path / "model"))
    assert two.sample(5).equals(gan.sample(5))
    assert layerwise.load(str(tmp_path / "model")).sample(5, seed=2).equals(gan.sample(5))


def test_the_generator_has_the_weights_that_the_pipelines_nodes_give_it(gan, table):
    settings, seed = SplitSettings(), 2
    labels = table["country"].to_numpy()
    training, validation = split_rest(np.arange(240), labels, settings, split_seed(settings, seed), RowKeys())
    split = Split(training=training, validation=validation, test=[])
    problem = Problem(name="same", task="binary", target="country", positive="Spain", allow_leak=True)
    preprocessor = fit_preprocessor(table, split, problem, PreprocessingSettings(), seed)
    rows, _, _ = preprocess_rows(table, split, preprocessor)
    networks = {name: value for name, value in SMALL.items() if name != "random_state"}
    sized = size_gan(preprocessor.data_spec, rows, GANSettings(epochs=3, batch_size=None, **networks))
    parts = encode_rows(table, split, problem, PreprocessingSettings(), sized, seed)
    generator, *_ = train_table_gan(*parts[1:], parts[0], preprocessor.data_spec, sized, seed)
    for name, values in generator.state_dict().items():
        torch.testing.assert_close(gan.network_.state_dict()[name], values, rtol=0, atol=0)


@pytest.mark.parametrize(
    ("conditions", "message"),
    [
        ({"contry": "Spain"}, "conditions: the table has no column 'contry'; did you mean 'country'"),
        ({"country": "Spian"}, "country holds 'Spian', which training never saw; did you mean 'Spain'"),
        ({"income": 3.0}, "income is a number, and a generator's conditions are categories"),
    ],
)
def test_a_condition_that_cannot_be_met_is_refused(gan, conditions, message):
    with pytest.raises(UserError, match=message):
        gan.sample(2, conditions)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"target": "contry"}, "target: the table has no column 'contry'; did you mean 'country'"),
        ({"epochs": 0}, "epochs: .*greater than or equal to 1"),
        ({"objective": "hinged"}, "objective.*hinge"),
        ({"settings": {"gan": {"table": {"componens": 3}}}}, "did you mean 'components'"),
    ],
)
def test_wrong_arguments_are_named(table, given, message):
    with pytest.raises(UserError, match=message):
        TabularGAN(**given).fit(table)


def test_samples_keep_what_all_rows_keep_and_what_is_stated():
    rng = np.random.default_rng(1)
    city = rng.choice(["Rome", "Milan", "Lyon"], 300)
    booked = rng.integers(0, 300, 300)
    stays = pd.DataFrame(
        {
            "booked": booked,
            "left": booked + rng.integers(1, 9, 300),
            "city": city,
            "country": np.where(city == "Lyon", "France", "Italy"),
            "guests": rng.integers(1, 5, 300),
        }
    )
    gan = TabularGAN(epochs=1, **SMALL).fit(stays)
    rules = gan.model_.columns.rules
    assert rules.in_words() == ["booked <= left", "city, country together"]
    rows = gan.sample(200)
    assert (rows["booked"] <= rows["left"]).all()
    assert rows.dtypes.equals(stays.dtypes)
    pairs = set(zip(stays["city"], stays["country"], strict=True))
    assert set(zip(rows["city"], rows["country"], strict=True)) <= pairs
    given = gan.sample(20, {"country": "France"})
    assert set(given["city"]) == {"Lyon"}
    assert (given["booked"] <= given["left"]).all()
    with pytest.raises(
        UserError, match="row 0: what is given breaks the rule of training: city, country together"
    ):
        gan.sample(1, {"city": "Rome", "country": "France"})
