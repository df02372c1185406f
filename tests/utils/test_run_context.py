import pytest

from layerwise.utils.run_context import add_receiver, remove_receiver, report_metrics, report_tags


class Notebook:
    def __init__(self):
        self.seen = []

    def log_metrics(self, metrics, step):
        self.seen.append(("metrics", dict(metrics), step))

    def log_tags(self, tags):
        self.seen.append(("tags", dict(tags)))


@pytest.fixture
def notebooks():
    receivers = [Notebook(), Notebook()]
    for receiver in receivers:
        add_receiver(receiver)
    yield receivers
    for receiver in receivers:
        remove_receiver(receiver)


def test_what_is_reported_reaches_every_receiver(notebooks):
    report_metrics({"train/loss": 1.5}, 3)
    report_metrics({"test/error": 0.1})
    report_tags({"data.source": "mnist"})
    for notebook in notebooks:
        assert notebook.seen == [
            ("metrics", {"train/loss": 1.5}, 3),
            ("metrics", {"test/error": 0.1}, None),
            ("tags", {"data.source": "mnist"}),
        ]


def test_a_removed_receiver_hears_nothing_and_the_others_do(notebooks):
    first, second = notebooks
    remove_receiver(first)
    remove_receiver(first)
    report_metrics({"train/loss": 1.0}, 1)
    assert first.seen == []
    assert len(second.seen) == 1


def test_reporting_without_a_receiver_is_silent(capsys):
    report_metrics({"train/loss": 1.0})
    report_tags({"data.source": "mnist"})
    assert capsys.readouterr().out == ""
