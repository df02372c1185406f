import json
import re

import mlflow
import pytest

from layerwise.inference import ModelComparison, ModelError, ModelManifest
from layerwise.tracking import move_champion, registry
from layerwise.tracking.input_datasets import fingerprint
from layerwise.tracking.registry import champion_metric, compare_with_champion, privacy_refusal


def tags(value, rows="r", metric="roc_auc"):
    return {"test.rows": rows, "test.metric": metric, "test.value": repr(value)}


@pytest.mark.parametrize(
    ("metric", "old", "new", "moves"),
    [
        ("roc_auc", 0.8, 0.9, True),
        ("roc_auc", 0.9, 0.8, False),
        ("roc_auc", 0.9, 0.9, False),
        ("error", 0.1, 0.2, False),
        ("error", 0.2, 0.1, True),
        ("rmse", 2.0, 1.0, True),
    ],
)
def test_the_champion_moves_when_it_is_beaten_on_the_same_rows(metric, old, new, moves):
    assert compare_with_champion(tags(new, metric=metric), tags(old, metric=metric), "1")[1] is moves


def test_the_first_model_is_the_champion():
    assert compare_with_champion(tags(0.5), None, "") == ("It is the first champion (roc_auc 0.5000).", True)


def test_other_test_rows_or_another_metric_leave_the_champion_with_a_message():
    message, moves = compare_with_champion(tags(0.9), {"test.measure": "roc_auc", "test.rows": "same"}, "4")
    assert moves
    assert "replaces version 4, a model of the first edition" in message
    message, moves = compare_with_champion(tags(0.9, rows="other"), tags(0.8), "4")
    assert not moves
    assert "stays version 4: it was measured on other test rows" in message
    message, moves = compare_with_champion(tags(0.1, metric="error"), tags(0.8), "4")
    assert not moves
    assert "compared by roc_auc" in message


def test_a_perplexity_that_reverse_ais_contradicts_moves_no_champion():
    doubt = "AIS says a perplexity of 9 and reverse AIS 17: neither is a figure to compare by"
    metrics = {
        name: {"value": value} for name, value in (("perplexity", 9.0), ("perplexity_reverse_ais", 17.0))
    }
    manifest = ModelManifest(problem="posts", pipeline="rbm", metrics=metrics)
    doubted = registry._tags(manifest, "rbm", "s", None)
    assert doubted["test.doubt"] == doubt
    metrics["perplexity_reverse_ais"]["value"] = 13.0
    sure = registry._tags(ModelManifest(problem="posts", pipeline="rbm", metrics=metrics), "rbm", "s", None)
    assert "test.doubt" not in sure
    assert compare_with_champion(doubted, sure, "1") == (
        f"The champion stays version 1: here {doubt}.",
        False,
    )
    said = f"The champion stays version 1: of that version {doubt}."
    assert compare_with_champion(sure, doubted, "1") == (said, False)
    assert compare_with_champion(sure | {"test.value": "8.0"}, sure, "1")[1]


def test_what_gives_training_rows_away_is_refused_with_what_to_do():
    def refusal(**metrics):
        measured = {name: {"value": value} for name, value in metrics.items()}
        return privacy_refusal(ModelManifest(problem="churn", pipeline="gan", metrics=measured))

    assert refusal() == refusal(memorization_ratio=0.5, membership_auc_low=0.55) == ""
    near, known = refusal(memorization_ratio=0.31), refusal(memorization_ratio=0.9, membership_auc_low=0.58)
    assert "Not registered as churn: the rows that it draws are too near to training rows" in near
    assert "(memorization_ratio 0.31, below 0.5). Train it for fewer epochs" in near
    assert "tell which rows it learnt from" in known
    assert "(membership_auc_low 0.58, above 0.55)" in known


def test_the_fingerprint_depends_on_file_targets_and_rows():
    fingerprints = [
        fingerprint("f", ["y"], [1, 2]),
        fingerprint("g", ["y"], [1, 2]),
        fingerprint("f", ["z"], [1, 2]),
        fingerprint("f", ["y"], [1, 3]),
        fingerprint("f", ["y"], [12]),
    ]
    assert len(set(fingerprints)) == 5
    assert fingerprint("f", ["y"], [1, 2]) == fingerprints[0]


def test_a_model_is_compared_by_its_tasks_own_metric():
    metrics = {"accuracy": {"value": 0.9}, "error": {"value": 0.1}, "roc_auc": {"value": 0.8}}
    assert champion_metric("binary", metrics) == ("roc_auc", 0.8)
    assert champion_metric("multiclass", metrics) == ("error", 0.1)
    assert champion_metric("binary", {"accuracy": {"value": 0.9}}) == ("accuracy", 0.9)


def test_runs_register_their_models_and_the_champion_follows_the_better_one(project):
    client = mlflow.MlflowClient(f"sqlite:///{project.path}/mlflow.db")

    def run(learning_rate, **params):
        settings = {"finetuning": {"epochs": 2, "learning_rate": learning_rate}}
        project.run(
            "mlp",
            problem={"name": "named"},
            to_nodes=["reporting.write_model_card_mlp"],
            **settings,
            **params,
        )
        version = client.get_model_version_by_alias("named", "champion")
        return str(version.version), version

    # As good as untrained, then trained, then untrained again, and then other test rows.
    assert run(1e-9)[0] == "1"
    number, second = run(0.01)
    assert number == "2"
    reported = project.json("08_reporting/named/mlp/metrics.json")["network"]["error"]
    assert float(second.tags["test.value"]) == reported["value"]
    first_line, _, card = second.description.partition("\n\n")
    assert first_line == f"mlp: error {reported['value']:.4g} on the test rows"
    assert card.startswith("# Model card")
    assert len(second.description) <= 5000
    shown = client.get_logged_model(second.source.removeprefix("models:/")).tags["mlflow.modelVersions"]
    assert [(each["name"], str(each["version"])) for each in json.loads(shown)] == [("named", "2")]
    assert run(1e-9)[0] == "2"
    # As good on other test rows, of which the champion has seen some: chance alone moves nothing.
    assert run(0.01, split={"seed": 7})[0] == "2"
    assert len(client.search_model_versions("name='named'")) == 4
    run_id, _ = project.last_run()
    ((message,),) = project.query("select value from tags where key='registered' and run_uuid=?", run_id)
    compared = re.search(
        r"on ([\d,]+) rows that neither has seen \(([\d,]+) that it has seen left out\)", message
    )
    assert int(compared[1].replace(",", "")) + int(compared[2].replace(",", "")) == 1000
    # A fifth of the rows is the test part of either split.
    assert 150 < int(compared[1]) < 260
    assert message.endswith("`kedro champion named/4` moves the alias.")


def test_the_champion_is_moved_forward_and_back_by_a_command(project):
    uri = f"sqlite:///{project.path}/mlflow.db"
    client = mlflow.MlflowClient(uri)
    client.create_registered_model("moved")
    for value in ("0.5", "0.4"):
        tags = {"test.metric": "error", "test.value": value, "pipeline": "mlp"}
        client.create_model_version("moved", str(project.path), "r", tags=tags)
    assert move_champion(uri, "moved/1") == "moved@champion is version 1."
    with pytest.raises(ModelError, match="no version of moved was the champion before version 1"):
        move_champion(uri, "moved", back=True)
    assert move_champion(uri, "moved/2") == "moved@champion is version 2, after version 1."
    assert str(client.get_model_version_by_alias("moved", "champion").version) == "2"
    shown = move_champion(uri, "moved").splitlines()
    assert [line[:10] for line in shown] == ["  moved/1 ", "* moved/2 "]
    assert "error 0.4" in shown[1]
    assert move_champion(uri, "moved", back=True) == "moved@champion is version 1 again, after version 2."
    assert str(client.get_model_version_by_alias("moved", "champion").version) == "1"
    with pytest.raises(ModelError, match="'moved' has no version 7; the last one is 2"):
        move_champion(uri, "moved/7")
    with pytest.raises(ModelError, match="no model is registered as 'mooved'"):
        move_champion(uri, "mooved/1")


def compared(difference, low, high, metric="error"):
    return ModelComparison(metric, 0.2, 0.2 - difference, difference, low, high, 100, 0)


@pytest.mark.parametrize(
    ("found", "moves", "says"),
    [
        (compared(-0.1, -0.2, -0.01), True, "new champion: error 0.2000, the champion 0.3000, on 100 rows"),
        (compared(-0.1, -0.2, 0.01), False, "no better than chance allows"),
        (compared(0.1, 0.01, 0.2), False, "and this one is no better:"),
        (compared(0.1, 0.01, 0.2, "roc_auc"), True, "new champion"),
        (compared(0.1, 0.01, 0.2, "log_prob"), True, "new champion"),
        (compared(-0.1, -0.2, -0.01, "reconstruction_mse"), True, "new champion"),
        ("it solves another task", False, "cannot be compared: it solves another task."),
    ],
)
def test_the_champion_moves_by_more_than_chance_or_stays(found, moves, says):
    message, moved = compare_with_champion(tags(0.2), tags(0.3), "3", lambda version, same: found)
    assert moved is moves
    assert says in message
    assert moves or "stays version 3" in message


REASON = "it encodes to 10 columns, and this one to 20"


@pytest.mark.parametrize(
    ("new", "old", "moves", "says"),
    [
        ({}, {}, False, REASON),
        (
            {"anomaly_auc": 0.9},
            {"anomaly_auc": 0.8},
            True,
            "anomaly_auc 0.9000 on the same test rows, after 0.8",
        ),
        (
            {"anomaly_auc": 0.7},
            {"anomaly_auc": 0.8},
            False,
            "anomaly_auc 0.8000 on the same test rows, and 0.7",
        ),
        ({"probe/latent/error": 0.1}, {"probe/latent/error": 0.2}, True, "probe/latent/error 0.1000"),
        (
            {"probe/latent/error": 0.1, "anomaly_auc": 0.5},
            {"probe/latent/error": 0.2},
            True,
            "probe/latent/error",
        ),
        ({"anomaly_auc": 0.9}, {"probe/latent/error": 0.2}, False, REASON),
    ],
)
def test_encoders_that_no_row_compares_are_compared_by_what_their_latent_says(new, old, moves, says):
    # By the reconstruction the larger one would win.
    def measured(value, found, rows="r"):
        more = {f"test.{name}": repr(each) for name, each in found.items()}
        return tags(value, rows, "reconstruction_mse") | more

    message, moved = compare_with_champion(measured(0.1, new), measured(0.2, old), "3", lambda *_: REASON)
    assert moved is moves
    assert says in message
    # With intervals the difference has to be larger than the root of both squared half-widths.
    if moves:
        name = next(each for each in old if each in new)
        gap = abs(new[name] - old[name])
        for half_width, still_moves in ((0.7 * gap, True), (0.72 * gap, False)):
            widths = {f"test.{name}.half_width": repr(half_width)}
            both = measured(0.1, new) | widths, measured(0.2, old) | widths
            assert compare_with_champion(*both, "3", lambda *_: REASON)[1] is still_moves
    # What they were measured by on other rows says nothing, and nor does it where rows compare them.
    assert not compare_with_champion(measured(0.1, new, "s"), measured(0.2, old), "3", lambda *_: REASON)[1]
    lost = compared(0.1, 0.01, 0.2, "reconstruction_mse")
    assert not compare_with_champion(measured(0.1, new), measured(0.2, old), "3", lambda *_: lost)[1]


def test_the_comparison_gets_the_version_and_whether_the_test_rows_are_the_same():
    asked = []
    for rows in ("r", "s"):
        compare_with_champion(
            tags(0.2), tags(0.3, rows=rows), "3", lambda *given: asked.append(given) or "no"
        )
    assert asked == [("3", True), ("3", False)]
