import statistics

import pytest

from layerwise.evaluation.metrics import Metric, MetricsByModel, NamedMetrics
from layerwise.evaluation.reports import BaselineComparison, EvaluationReport, MemberStatistics


def error(value):
    return {"error": Metric(name="error", value=value, base_rate=0.5, better="lower")}


def test_the_spread_is_the_mean_and_the_standard_deviation_of_a_sample():
    values = [0.1, 0.2, 0.6]
    found = MemberStatistics.of([error(value) for value in values])
    assert found.n_members == 3
    assert found.spreads["error"].mean == pytest.approx(statistics.mean(values))
    assert found.spreads["error"].std == pytest.approx(statistics.stdev(values))


def test_a_metric_that_one_network_lacks_has_no_spread():
    auc = {"roc_auc": Metric(name="roc_auc", value=0.5)}
    assert set(MemberStatistics.of([error(0.1) | auc, error(0.2)]).spreads) == {"error"}


def test_one_network_has_no_standard_deviation_and_logs_none():
    members = MemberStatistics.of([error(0.2)])
    report = EvaluationReport.of(NamedMetrics(error(0.2)), members=members)
    (values,) = report.logged().by_step().values()
    assert values == {"test/error": 0.2, "test/error_mean": 0.2}
    assert "no metric has a standard deviation" in str(members)


def test_all_that_was_measured_is_logged_under_its_name():
    members = MemberStatistics.of([error(0.2), error(0.4)])
    others = BaselineComparison(metrics=MetricsByModel({"logistic regression": error(0.1)}))
    report = EvaluationReport.of(NamedMetrics(error(0.2)), 0.5, others, members)
    (values,) = report.logged().by_step().values()
    assert values == {
        "test/error": 0.2,
        "test/logistic_regression/error": 0.1,
        "test/error_mean": pytest.approx(0.3),
        "test/error_std": pytest.approx(statistics.stdev([0.2, 0.4])),
    }


def test_the_conclusions_are_those_beside_a_constant_and_then_those_beside_the_baselines():
    others = BaselineComparison(metrics=MetricsByModel({}), conclusions=("Boosting is better.",))
    assert EvaluationReport.of(NamedMetrics(error(0.4)), baselines=others).conclusions == others.conclusions
    first, second = EvaluationReport.of(NamedMetrics(error(0.6)), baselines=others).conclusions
    assert "error" in first
    assert second == "Boosting is better."


def test_the_report_is_the_same_after_json():
    members = MemberStatistics.of([error(0.1 + 0.2), error(0.4)])
    report = EvaluationReport.of(NamedMetrics(error(0.1 + 0.2)), 0.25, None, members)
    assert EvaluationReport.model_validate(report.model_dump(mode="json")) == report
