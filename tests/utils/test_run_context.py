import pytest

from layerwise.utils import collected_reports, report_metrics, report_tags
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


def test_metrics_that_are_collected_reach_no_listener_and_those_of_other_threads_do(listeners):
    from concurrent.futures import ThreadPoolExecutor

    with collected_reports() as outer:
        report_metrics({"a": 1.0}, 1)
        with collected_reports() as inner:
            report_metrics({"b": 2.0})
        report_metrics({"c": 3.0}, 2)
        with ThreadPoolExecutor(1) as pool:
            pool.submit(report_metrics, {"d": 4.0}, None).result()
    report_metrics({"e": 5.0})
    assert outer == [({"a": 1.0}, 1), ({"c": 3.0}, 2)]
    assert inner == [({"b": 2.0}, None)]
    assert listeners[0].seen == [("metrics", {"d": 4.0}, None), ("metrics", {"e": 5.0}, None)]
