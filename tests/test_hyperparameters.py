from pathlib import Path
from typing import get_args

import pytest
from make_hyperparameters import KEYS, document, settings_of

from layerwise.models import ACTIVATIONS, INITIALIZERS
from layerwise.training.optim import OPTIMIZERS, SCHEDULES, OptimizerName, ScheduleName
from layerwise.training.optim.settings import OPTIMIZER_SETTINGS
from layerwise.training.supervised import LOSSES
from layerwise.training.supervised.losses import LossName

PAGE = Path(__file__).parent.parent / "docs/hyperparameters.md"


def test_the_page_is_not_stale():
    assert PAGE.read_text() == document(), "run: python docs/make_hyperparameters.py docs/hyperparameters.md"


@pytest.mark.parametrize("key", KEYS)
def test_every_setting_has_its_row_and_a_meaning(key):
    for name, field in settings_of(KEYS[key], key):
        assert field.description, name
        meaning = field.description.replace("|", "\\|")
        assert f"| `{name}` | {meaning}" in document()


@pytest.mark.parametrize(
    "names",
    [ACTIVATIONS, INITIALIZERS, get_args(OptimizerName), get_args(ScheduleName), get_args(LossName)],
)
def test_every_choice_by_name_has_its_row(names):
    for name in names:
        assert f"\n| `{name}` |" in document()


def test_every_setting_of_an_optimizer_belongs_to_one_at_least():
    assert set(OPTIMIZER_SETTINGS) == {use for choice in OPTIMIZERS.values() for use in choice.uses}
    assert set(OPTIMIZERS) == set(get_args(OptimizerName))
    assert set(SCHEDULES) == set(get_args(ScheduleName))
    assert set(LOSSES) == set(get_args(LossName))


def test_limits_and_lists_are_in_words():
    page = document()
    assert "| number >= 0 and < 1 | `0.0` |" in page
    assert "| whole number > 0 or all or null | `null` |" in page
    assert "true, false or auto" in page
