import pandas as pd
import pytest

from layerwise.data import DataSpec
from layerwise.evaluation.metrics import LoggedMetrics
from layerwise.tracking.outbox import BufferedRunLogger
from layerwise.tracking.saved_data import report_saved
from layerwise.utils import run_context


class Recorder:
    def __init__(self):
        self.metrics, self.tags = [], {}

    def log_metrics(self, metrics, step):
        self.metrics.append((dict(metrics), step))

    def log_tags(self, tags):
        self.tags |= tags


@pytest.fixture
def recorder(monkeypatch):
    """What listens, alone: a run that another test has cut off may still do so."""
    monkeypatch.setattr(run_context, "_context", run_context.RunContext())
    found = Recorder()
    run_context.add_listener(found)
    return found


def test_saved_metrics_are_reported_step_by_step(recorder):
    report_saved(LoggedMetrics.of({"a": 1.0, "b": 2.0}) + LoggedMetrics.of({"a": 3.0}, step=4))
    assert recorder.metrics == [({"a": 1.0, "b": 2.0}, None), ({"a": 3.0}, 4)]


def test_a_resumed_run_logs_what_it_has_no_second_time(recorder, tmp_path):
    """The hook tells the logger which names and steps the run had before."""
    sent = []

    class Client:
        def log_batch(self, run_id, metrics=(), tags=()):
            sent.extend((metric.key, metric.step, metric.value) for metric in metrics)

    had = {("test/error", 0), ("train/loss", 1)}
    run_logger = BufferedRunLogger(Client(), "run", tmp_path / "metrics.jsonl", already_logged=had)
    run_context.add_listener(run_logger)
    report_saved(LoggedMetrics.of({"test/error": 0.5, "test/rmse": 2.0}))
    report_saved(
        LoggedMetrics.of({"train/loss": 3.0}, step=1) + LoggedMetrics.of({"train/loss": 4.0}, step=2)
    )
    run_logger.flush()
    assert sent == [("test/rmse", 0, 2.0), ("train/loss", 2, 4.0)]


def test_what_counts_while_it_is_written_is_reported_by_its_counts(recorder):
    class Stream:
        @property
        def logged_metrics(self):
            return LoggedMetrics.of({"rows": 5.0})

    report_saved(Stream())
    assert recorder.metrics == [({"rows": 5.0}, None)]


def test_a_data_spec_says_where_the_rows_come_from_and_how_many_there_are(recorder):
    spec = DataSpec(
        task="binary", n_inputs=1, n_outputs=1, feature_names=("x",), blocks=(), target_names=("y",),
        source="a.csv", sha256="abc", n_training=70, n_validation=10, n_test=20,
    )  # fmt: skip
    report_saved(spec)
    assert recorder.tags == {
        "data.source": "a.csv", "data.sha256": "abc", "data.rows": "100",
        "data.training_rows": "70", "data.validation_rows": "10", "data.test_rows": "20",
    }  # fmt: skip
    assert recorder.metrics == []


def test_a_tables_columns_are_no_metrics_and_no_tags(recorder):
    report_saved(pd.DataFrame({"logged_metrics": [1.0], "run_tags": [2.0]}))
    assert (recorder.metrics, recorder.tags) == ([], {})
