import json
from pathlib import Path

import numpy as np
import pretraining
import pretraining_peers
import pytest
import torch
from make_pretraining import (
    COMPARED,
    METHODS,
    advice,
    document,
    gains_and_losses,
    numbers_of_labels,
    plot,
    points,
    read,
    with_readme_part,
)
from pretraining_rows import Rows
from pretraining_starts import BEST, BEST_TRIALS, CONTRACTIVE, DENOISING, RBM, SAME, TRIALS, Networks, Trial

from layerwise.data import ColumnBlock, DataSpec, TensorData
from layerwise.training import TrainingError

PAGE = Path(__file__).parents[2] / "docs/does_pretraining_help.md"


@pytest.fixture
def rows():
    """Two classes that the sum of six numbers tells apart."""
    rng = torch.Generator().manual_seed(0)
    inputs = torch.randn(260, 6, generator=rng)
    targets = (inputs.sum(1, keepdim=True) > 0).float()
    parts = [TensorData(inputs[a:b], targets[a:b]) for a, b in ((0, 120), (120, 160), (160, 260))]
    blocks = tuple(ColumnBlock(name=f"x{k}", kind="real", start=k, stop=k + 1) for k in range(6))
    columns = DataSpec(
        task="binary", n_inputs=6, n_outputs=1, feature_names=tuple(f"x{k}" for k in range(6)), blocks=blocks,
        target_names=("y",), class_names=("no", "yes"),
    )  # fmt: skip
    return Rows(*parts, columns)


@pytest.fixture
def networks(rows):
    return Networks(rows, steps=30, hidden_sizes=(8,), pretraining_steps=20)


def test_the_page_is_what_was_measured():
    assert PAGE.read_text() == document(read()), (
        "run: python docs/make_pretraining.py docs/does_pretraining_help.md"
    )


def test_the_picture_has_a_panel_for_each_number_of_labels_and_a_point_for_each_difference():
    found = read()
    figure = plot(found)
    assert len(figure.axes) == len(numbers_of_labels(found))
    drawn = sum(len(bars.lines[0].get_xdata()) for axes in figure.axes for bars in axes.containers)
    there = [entry["differences"] for facts in found["data"].values() for entry in facts["labels"].values()]
    assert drawn == sum(map(len, there)) + sum(map(len, found["tables"].values()))


def test_an_interval_is_students_and_a_difference_is_paired_by_seed_and_by_row():
    assert pretraining.interval([0.1, 0.3]) == [0.2, round(12.7062 * 0.1, 5)]
    # Two networks, four rows: the first pair differs on one row, the second on two.
    one = {"errors": [0.25, 0.25], "wrong": "2000"}
    other = {"errors": [0.5, 0.75], "wrong": "2210"}
    by_seed, by_row = np.array([-0.25, -0.5]), np.array([0, -1, -0.5, 0])
    variance = by_seed.var(ddof=1) / 2 + by_row.var(ddof=1) / 4
    assert pretraining.difference(one, other) == [-0.375, round(12.7062 * variance**0.5, 5)]


def test_the_mean_of_tables_leaves_out_images_and_takes_each_table_once():
    def facts(mean, is_all):
        return {"labels": {"100": {"all": is_all, "differences": {"a - b": [mean, 0.5]}}}}

    found = {"german": facts(0.1, False), "churn": facts(0.3, False), "digits": facts(9.0, False)}
    found["segment"] = {"labels": {"900": {"all": True, "differences": {"a - b": [0.1, 0.5]}}}}
    assert pretraining.over_tables(found) == {
        "100": {"a - b": {"tables": 2, "mean": pretraining.interval([0.1, 0.3])}},
        "all": {},
    }


def test_a_gain_or_loss_needs_an_interval_that_leaves_out_zero():
    differences = [[-0.02, 0.01], [-0.02, 0.03], [0.02, 0.01], [0.0, 0.0]]
    assert gains_and_losses(differences) == (1, 1)
    assert [points(d) for d in differences[:2]] == ["**-2.0 ± 1.0**", "-2.0 ± 3.0"]


@pytest.mark.parametrize(
    ("difference", "words"),
    [(-0.03, "pretrain. Against"), (0.03, "don't pretrain. Against"), (0.001, "it makes no difference that")],
)
def test_the_advice_follows_the_figures(difference, words):
    differences = {name: [difference, 0.01] for name in COMPARED}
    errors = {name: [0.2, 0.4] for name in METHODS} | {"RBM stack": [0.1]}
    entry = {"all": False, "differences": differences, "errors": errors}
    said = advice({"data": {"german": {"labels": {"100": entry}}}})
    assert f"- **Tables, at most 100 labels** (1 measured): {words}" in said
    assert "a pretrained network has the least error in 1 of 1 cells, one without in 0" in said
    assert "Images" not in said


def test_the_readme_has_the_same_answer():
    found, readme = read(), (PAGE.parents[1] / "README.md").read_text()
    assert with_readme_part(readme, found) == readme
    other = with_readme_part(readme, found | {"protocol": found["protocol"] | {"seeds": 77}})
    assert ("77 seeds" in other) == ("digits" in found["data"])
    assert other.split("\n## ")[-1] == readme.split("\n## ")[-1]


@pytest.mark.parametrize("kind", [BEST, RBM, DENOISING, CONTRACTIVE])
def test_the_search_reads_no_test_row_and_ranks_by_the_validation_error(networks, kind):
    networks.rows = networks.rows._replace(test=None)
    trials = (BEST_TRIALS if kind == BEST else TRIALS)[:5]
    tried = networks.search(kind, trials, 50)
    assert sorted(each.trial for each in tried) == sorted(trials)
    assert [each.error for each in tried] == sorted(each.error for each in tried)


def test_the_same_net_differs_from_the_rbm_stacks_in_its_start_alone(networks):
    same, pretrained = (networks.network(kind, TRIALS[0], 3) for kind in (SAME, RBM))
    assert same.config == pretrained.config
    torch.testing.assert_close(same.output.weight, pretrained.output.weight)
    stack = networks.stacks[RBM, 0, 3]
    x = networks.rows.validation.inputs
    torch.testing.assert_close(pretrained.encode(x), stack.encode(x))
    assert not torch.allclose(same.encode(x), stack.encode(x))


def test_every_kind_of_model_answers_for_every_seed_and_learns(networks, rows):
    networks.steps = 200
    for kind in (BEST, SAME, DENOISING):
        wrong = networks.test(kind, TRIALS[2], 60, [0, 1])
        assert wrong.shape == (2, 100)
        assert wrong.mean() < 0.3
    for peer in pretraining_peers.PEERS:
        error, setting = pretraining_peers.search(rows, peer, 60)[0]
        assert 0 <= error < 0.4
        assert pretraining_peers.test(rows, peer, setting, 60, [0, 1]).shape == (2, 100)
        assert pretraining_peers.test(rows, peer, setting, None, [0, 1]).shape == (1, 100)


def test_labels_that_a_data_set_does_not_have_are_left_out(rows):
    assert rows.numbers_of_labels((1, 50, 100, 300, None)) == [50, 100, None]


def test_a_run_goes_on_where_the_file_ends(rows, monkeypatch):
    monkeypatch.setattr(pretraining, "load", lambda name, most_rows: rows)
    monkeypatch.setattr(pretraining, "METHODS", (RBM, SAME))
    plan = pretraining.PLANS["short"]._replace(
        trials=1, seeds=2, steps=20, pretraining_steps=10, labels=(50, None)
    )
    known = {}
    first = [line for found in pretraining.cells(plan, ["german"], known) for line in found]
    assert [(line["labels"], line["method"]) for line in first] == [
        (50, RBM), (120, RBM), (50, SAME), (120, SAME),
    ]  # fmt: skip
    assert first[2]["tried"] == first[0]["tried"]
    assert list(pretraining.cells(plan, ["german"], known)) == []
    kept = json.loads(json.dumps(first[1]))
    del known["german", 120, RBM]
    (again,) = pretraining.cells(plan, ["german"], known)
    for line in (kept, again[0]):
        line.pop("seconds")
    assert json.loads(json.dumps(again[0])) == kept


@pytest.mark.parametrize("kind", [RBM, DENOISING, CONTRACTIVE])
def test_images_have_both_options_of_every_stack(rows, kind):
    inputs = [TensorData(torch.sigmoid(part.inputs), part.targets) for part in rows[:3]]
    columns = rows.columns.model_copy(update={"image_shape": (2, 3), "blocks": ()})
    networks = Networks(Rows(*inputs, columns), steps=10, hidden_sizes=(8,), pretraining_steps=5)
    starts = [networks.network(kind, Trial(option, 1e-3, 0.0), 0) for option in (0, 1)]
    assert not torch.allclose(*(start.hidden[0].weight for start in starts))


def test_what_diverges_in_pretraining_is_left_out_and_the_next_trial_frozen(networks, monkeypatch):
    whole = Networks.network

    def network(self, kind, trial, seed):
        if trial.option == 1 or (seed == 1 and trial.learning_rate == 1e-3):
            raise TrainingError("diverged")
        return whole(self, kind, trial, seed)

    monkeypatch.setattr(Networks, "network", network)
    assert {each.trial for each in networks.search(RBM, TRIALS[:5], 50)} == set(TRIALS[:3])
    tried = [[0.1, 0.2, [*trial]] for trial in TRIALS[:3]]
    left, wrong = pretraining.frozen(networks, RBM, tried, 50, [0, 1])
    assert left == tried[1:]
    assert wrong.shape == (2, 100)
    with pytest.raises(TrainingError, match="diverged"):
        pretraining.frozen(networks, RBM, tried[:1], 50, [0, 1])
