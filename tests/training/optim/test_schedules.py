from types import SimpleNamespace

import pytest

from layerwise.training.callbacks import ReduceOnPlateau
from layerwise.training.optim import learning_rate_factor, scheduled_learning_rate
from layerwise.training.supervised import FinetuningSettings


def rates(**given):
    settings = FinetuningSettings(learning_rate=1.0, **given)
    return [scheduled_learning_rate(settings, step, 20, 5) for step in range(20)]


def test_warm_up_rises_linearly_and_the_schedule_begins_where_it_ends():
    found = rates(warmup_epochs=2, schedule="cosine")
    assert found[:10] == pytest.approx([(k + 1) / 10 for k in range(10)])
    assert found[10:] == pytest.approx([learning_rate_factor("cosine", k / 10) for k in range(10)])
    assert rates(warmup_epochs=1, schedule="constant")[4:] == [1.0] * 16


def test_a_warm_up_may_end_within_an_epoch():
    assert rates(warmup_epochs=0.4)[:3] == [0.5, 1.0, 1.0]


def test_steps_fall_by_their_factor_at_their_milestones():
    found = rates(schedule="step", step_milestones=(0.2, 0.5), step_factor=0.5)
    assert found == [1.0] * 4 + [0.5] * 6 + [0.25] * 10


def test_the_rate_falls_after_epochs_without_gain_and_waits_anew():
    plan = SimpleNamespace(learning_rate_scale=1.0)
    plateau = ReduceOnPlateau(plan, "validation/loss", factor=0.5, patience=2)
    scales = []
    for loss in (1.0, 0.9, 0.9, 0.95, 0.9, 0.9, 0.8, 0.8):
        plateau.on_epoch_end(None, {"validation/loss": loss})
        scales.append(plan.learning_rate_scale)
    assert scales == [1, 1, 1, 0.5, 0.5, 0.25, 0.25, 0.25]


def test_a_score_that_rises_is_a_gain():
    plan = SimpleNamespace(learning_rate_scale=1.0)
    plateau = ReduceOnPlateau(plan, "validation/accuracy", patience=1, higher_is_better=True)
    for accuracy in (0.5, 0.6, 0.7):
        plateau.on_epoch_end(None, {"validation/accuracy": accuracy})
    assert plan.learning_rate_scale == 1
    plateau.on_epoch_end(None, {"validation/accuracy": 0.69})
    assert plan.learning_rate_scale == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"schedule": "cosine", "step_factor": 0.5}, "schedule cosine has no use for step_factor"),
        ({"schedule": "step", "plateau_patience": 2}, "schedule step has no use for plateau_patience"),
        ({"schedule": "one_cycle", "warmup_epochs": 2}, "one_cycle rises by itself"),
        ({"schedule": "step", "step_milestones": (0.5, 0.2)}, "increasing fractions"),
        # None at all would be read as the default ones.
        ({"schedule": "step", "step_milestones": ()}, "one at least"),
        ({"loss": "hinge", "label_smoothing": 0.1}, "loss hinge has no use for label_smoothing"),
        ({"loss": "squared", "huber_delta": 2.0}, "loss squared has no use for huber_delta"),
        ({"keep_best_weights": False, "patience": 3}, "patience without keep_best_weights"),
        ({"class_weights": (0.0, 0.0)}, "not all 0"),
        ({"dropout": (0.1, 1.0)}, "less than 1"),
        ({"batch_size": 0}, "greater than 0"),
    ],
)
def test_settings_that_do_not_fit_each_other_are_one_message(given, words):
    with pytest.raises(ValueError, match=words):
        FinetuningSettings(**given)
