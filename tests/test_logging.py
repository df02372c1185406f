"""What a run prints stands as it was logged."""

import logging
import logging.config
from pathlib import Path

import pytest
import yaml

CONFIG = Path(__file__).parents[1] / "conf" / "logging.yml"


@pytest.mark.parametrize("name", ["speed [km/h]", "GDP per capita[a]", "rate [/s]", "x [bold]", "[0, 1]"])
def test_brackets_in_a_message_are_text(name, capsys):
    handler = dict(yaml.safe_load(CONFIG.read_text())["handlers"]["rich"])
    made = logging.config.DictConfigurator({}).configure_handler(handler)
    made.console.width = 200
    made.emit(logging.LogRecord("layerwise", logging.INFO, "", 0, "Column '%s': read", (name,), None))
    printed = capsys.readouterr()
    assert f"Column '{name}': read" in printed.out + printed.err
