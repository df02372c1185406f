import logging
import re

from layerwise.checkpointing import RunLifecycle, lifecycle
from layerwise.checkpointing.store import CheckpointSettings
from layerwise.utils import source_version


def begun(project, resume):
    return RunLifecycle(project, "digits", "dbn", {"seed": "0"}, CheckpointSettings(), resume)


def killed_run(project):
    """Begin a run whose process goes away without a word."""
    first = begun(project, resume=False)
    first.start("a" * 32, "kedro run", "sqlite:///here")
    first._watch.stop()
    first.directory.release()


def test_a_run_that_goes_on_with_other_code_is_warned(tmp_path, monkeypatch, caplog):
    killed_run(tmp_path)
    monkeypatch.setattr(lifecycle, "source_version", lambda: "0.1.0+of_another_day")
    with caplog.at_level(logging.WARNING):
        begun(tmp_path, resume=True).directory.release()
    assert re.search(
        rf"may differ from an uninterrupted run's: layerwise .*{re.escape(source_version())}.*of_another_day",
        caplog.text,
    )


def test_a_run_that_goes_on_with_its_own_code_is_not_warned(tmp_path, caplog):
    killed_run(tmp_path)
    with caplog.at_level(logging.WARNING):
        begun(tmp_path, resume=True).directory.release()
    assert "may differ" not in caplog.text
