import numpy as np
import pytest

from layerwise.evaluation.reports import Fold, Leaderboard, corrected_interval
from layerwise.utils import UserError


def folds(errors, better="lower", name="rmse"):
    return [
        Fold(
            name=f"fold_{k:02d}",
            n_training=72,
            n_validation=8,
            n_test=20,
            seconds=2.0,
            metrics={name: error},
            better={name: better},
        )
        for k, error in enumerate(errors)
    ]


def board(**errors):
    return Leaderboard.of("p", "regression", {name: folds(each) for name, each in errors.items()}, 3)


def test_the_lowest_mean_error_is_first_and_the_highest_auc_too():
    found = board(a=[2, 3, 4], b=[1, 2, 3], c=[5, 5, 5])
    assert [each.model for each in found.standings] == ["b", "a", "c"]
    assert [each.rank for each in found.standings] == [1, 2, 3]
    aucs = {"a": folds([0.7, 0.8], "higher", "roc_auc"), "b": folds([0.9, 0.8], "higher", "roc_auc")}
    assert Leaderboard.of("p", "binary", aucs, 2).winner == "b"


def test_the_distance_to_the_first_is_paired_by_fold():
    # Both vary a lot from fold to fold, and together.
    found = board(a=[1.0, 5.0, 9.0], b=[1.1, 5.12, 9.11])
    behind = found.standings[1]
    assert behind.model == "b"
    assert behind.behind == pytest.approx(0.11)
    assert (behind.behind_low, behind.behind_high) == pytest.approx(
        corrected_interval([0.1, 0.12, 0.11], 0.25)
    )
    assert not behind.is_as_good
    assert "may be chance" not in found.conclusion()
    assert board(a=[1.0, 2.0, 3.0], b=[2.0, 2.0, 2.3]).standings[1].is_as_good


def test_a_model_that_had_time_for_fewer_folds_has_no_rank():
    found = board(a=[2, 3, 4], b=[1, 1])
    assert found.winner == "a"
    late = found.standings[-1]
    assert (late.model, late.rank, late.behind) == ("b", None, None)
    assert "No rank, for want of time: b" in found.conclusion()
    assert found.rows()[1][-1][:2] == ["", "b"]


def test_a_models_card_has_the_means_of_its_folds():
    found = board(a=[2, 3, 4], b=[1, 2, 3])
    section = found.section("a")
    assert section.startswith("## Cross-validation")
    _, high = corrected_interval([2, 3, 4], 0.25)
    assert f"| rmse | lower | 3.0000 [0.0000, {high:.4f}] | 1.0000 |" in section
    with pytest.raises(UserError, match="has no folds of c; run kedro compare with it"):
        found.section("c")


def test_one_fold_of_every_model_makes_no_standings():
    with pytest.raises(ValueError, match="no model has measured two folds"):
        board(a=[1.0], b=[2.0])


def test_each_model_is_a_run_below_the_run_with_its_folds():
    found = board(a=[2, 3, 4], b=[1, 2, 3])
    child = found.child_runs[0]
    assert child.name == "b"
    assert [row.value for row in child.metrics if row.name == "fold/rmse"] == [1, 2, 3]
    assert child.metrics["test/rmse"] == 2
    assert found.logged_metrics["compare/a/rmse"] == 3
    assert child.seconds == 6


def test_the_page_shows_every_model_and_needs_nothing_from_elsewhere():
    text = Leaderboard.of("<p>", "regression", {"a": folds([1, 2]), "b": folds([2, 4])}, 2).html()
    assert text.count("<tr>") == 3
    assert "&lt;p&gt;" in text
    assert "http" not in text
    assert text.count("<circle") == 2


def test_the_standings_are_the_same_after_json():
    found = board(a=list(np.array([2.0, 3, 4])), b=[1, 2, 3])
    assert Leaderboard.model_validate_json(found.model_dump_json()) == found
