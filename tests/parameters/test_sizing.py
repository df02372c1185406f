"""The rule of sizes, and that its page says what it does."""

import re
from pathlib import Path

import pytest

from layerwise.data import DataSpec
from layerwise.parameters.sizing import AUTOENCODER, FINETUNING, PRETRAINING, Extent, batch_and_epochs

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
    rows, inputs, kind, batch, finetuning, pretraining, mlp, stack, rbm = example
    extent = Extent(int(rows), int(inputs), kind)
    assert extent.batch == int(batch)
    assert extent.epochs(FINETUNING) == int(finetuning)
    assert extent.epochs(PRETRAINING) == int(pretraining)
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
    assert batch_and_epochs(extent, FINETUNING, 1000) == {
        "batch_size": 100,
        "epochs": 200,
    }  # 334 for 1,000 steps
    assert batch_and_epochs(extent, AUTOENCODER, "all")["epochs"] == 300
    assert batch_and_epochs(extent, FINETUNING, 10)["epochs"] == 30


def test_the_extent_knows_ratings_and_documents_by_their_task_and_images_by_their_shape():
    spec = DataSpec(
        task="multiclass", n_inputs=64, n_outputs=2, feature_names=(), blocks=(), target_names=("label",)
    )
    assert Extent.of(spec, 9) == Extent(9, 64, "table")
    assert Extent.of(spec.model_copy(update={"image_shape": (8, 8)}), 9).kind == "images"
    assert Extent.of(spec.model_copy(update={"task": "ratings"}), 9).kind == "ratings"
