"""The rule of sizes, and that its page says what it does."""

import re
from pathlib import Path

import pytest
import torch

from layerwise.data import DataSpec
from layerwise.parameters.sizing import (
    AUTOENCODER,
    FINETUNING,
    LEARNING,
    TABLE_LEARNING,
    Extent,
    learning,
    robust_delta,
)

PAGE = Path(__file__).parents[2] / "docs/sizes.md"
EXAMPLES = [
    [
        cell.strip().replace(",", "") if k < 2 else cell.strip()
        for k, cell in enumerate(line.strip("|").split("|"))
    ]
    for line in PAGE.read_text().splitlines()
    if re.match(r"\| [\d,]+ \|", line)
]


def numbers(cell):
    return tuple(int(each) for each in cell.split(","))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: f"{example[2]}_of_{example[0]}_rows")
def test_an_example_of_the_page_is_what_the_rule_gives(example):
    rows, inputs, kind, batch, of_mlp, finetuning, pretraining, mlp, stack, rbm = example
    extent = Extent(int(rows), int(inputs), kind)
    assert extent.batch == int(batch)
    assert extent.epochs(extent.ensemble_finetuning if kind == "table" else extent.finetuning) == int(of_mlp)
    assert extent.epochs(extent.finetuning) == int(finetuning)
    assert extent.epochs(extent.pretraining) == int(pretraining)
    assert extent.hidden_sizes == numbers(mlp)
    assert extent.stack_sizes == numbers(stack)
    assert extent.rbm_units == int(rbm)


def test_the_page_has_examples_of_tables_and_images():
    assert {example[2] for example in EXAMPLES} == {"table", "images"}


@pytest.mark.parametrize("kind", ["table", "images", "ratings", "documents"])
@pytest.mark.parametrize("rows", [1, 2, 7, 8, 9, 45, 99, 999, 20_000, 1_000_000])
def test_a_batch_is_never_empty_and_never_more_than_the_rows(kind, rows):
    assert 1 <= Extent(rows, 10, kind).batch <= rows


def test_the_epochs_give_the_steps_by_the_batch_that_is_set():
    extent = Extent(3000, 10, "table")
    assert extent.batch_and_epochs(FINETUNING, 1000) == {
        "batch_size": 100,
        "epochs": 200,
    }  # 334 for 1,000 steps
    assert extent.batch_and_epochs(AUTOENCODER, "all")["epochs"] == 300
    assert extent.batch_and_epochs(FINETUNING, 10)["epochs"] == 30


def test_the_extent_knows_ratings_and_documents_by_their_task_and_images_by_their_shape():
    spec = DataSpec(
        task="multiclass", n_inputs=64, n_outputs=2, feature_names=(), blocks=(), target_names=("label",)
    )
    assert Extent.of(spec, 9) == Extent(9, 64, "table")
    assert Extent.of(spec.model_copy(update={"image_shape": (8, 8)}), 9).kind == "images"
    assert Extent.of(spec.model_copy(update={"task": "ratings"}), 9).kind == "ratings"


def test_the_rate_and_the_decay_follow_the_optimizer_that_is_set():
    assert learning(True, None, None) == TABLE_LEARNING
    assert learning(False, None, None) == LEARNING
    assert learning(False, None, 0.1) == LEARNING | {"optimizer": "adamw"}
    assert learning(True, "momentum", None) == LEARNING | {"dropout": TABLE_LEARNING["dropout"]}
    assert learning(True, "adamw", None) == TABLE_LEARNING


def test_one_absurd_target_among_few_makes_the_loss_robust():
    rng = torch.Generator().manual_seed(0)
    targets = torch.randn(45, 1, generator=rng)
    assert robust_delta(targets) is None
    absurd = targets.clone()
    absurd[3] = 500
    # 1.4826 times the median distance estimates the standard deviation, 1, within a third here.
    assert robust_delta(absurd) == pytest.approx(1.345, rel=0.34)
    assert robust_delta((absurd - 11) / 74) == pytest.approx(robust_delta(absurd) / 74, rel=1e-4)
    assert robust_delta(absurd.repeat(30, 1)) is None  # 1,350 rows: a tail is a tail
    absurd[4:9] = 500
    assert robust_delta(absurd) is None  # many are no mistakes


def test_of_many_rows_a_table_gets_wider_layers_that_fewer_members_share():
    few, many = Extent(7999, 5, "table"), Extent(8000, 5, "table")
    assert (few.hidden_sizes, few.ensemble_members) == ((128, 128), 8)
    assert (many.hidden_sizes, many.ensemble_members) == ((256, 256), 4)
    assert (Extent(9000, 64, "images").hidden_sizes, Extent(9000, 64, "images").ensemble_members) == (
        (256, 256),
        1,
    )


def test_a_table_gets_an_ensemble_and_from_many_rows_on_embedded_numbers():
    assert (Extent(100, 5, "table").ensemble_members, Extent(100, 5, "images").ensemble_members) == (8, 1)
    found = [
        Extent(n, 5, kind).number_embedding for n, kind in ((100, "table"), (2000, "table"), (9000, "images"))
    ]
    assert found == ["none", "piecewise_linear", "none"]
