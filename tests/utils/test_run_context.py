import pytest

from layerwise.utils import report_metrics, report_tags
from layerwise.utils.run_context import add_listener, remove_listener


class RecordingListener:
    def __init__(self):
        self.seen = []

    def log_metrics(self, metrics, step):
        self.seen.append(("metrics", dict(metrics), step))

    def log_tags(self, tags):
        self.seen.append(("tags", dict(tags)))


@pytest.fixture
def listeners():
    listeners = [RecordingListener(), RecordingListener()]
    for listener in listeners:
        add_listener(listener)
    yield listeners
    for listener in listeners:
        remove_listener(listener)


def test_what_is_reported_reaches_every_listener(listeners):
    report_metrics({"train/loss": 1.5}, 3)
    report_metrics({"test/error": 0.1})
    report_tags({"data.source": "mnist"})
    for notebook in listeners:
        assert notebook.seen == [
            ("metrics", {"train/loss": 1.5}, 3),
            ("metrics", {"test/error": 0.1}, None),
            ("tags", {"data.source": "mnist"}),
        ]


def test_a_removed_listener_hears_nothing_and_the_others_do(listeners):
    first, second = listeners
    remove_listener(first)
    remove_listener(first)
    report_metrics({"train/loss": 1.0}, 1)
    assert first.seen == []
    assert len(second.seen) == 1


def test_reporting_without_a_listener_is_silent(capsys):
    report_metrics({"train/loss": 1.0})
    report_tags({"data.source": "mnist"})
    assert capsys.readouterr().out == ""
