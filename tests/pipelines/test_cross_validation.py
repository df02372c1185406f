import numpy as np
import pytest
import torch
from helpers.killed_runs import OFTEN, killed_after, run_of
from kedro.framework.project import pipelines

from layerwise.data import DataError

SMALL_TABLE = {"finetuning": {"epochs": 3}, "split": {"folds": 3}}


def report(project, name, pipeline="mlp"):
    return project.json(f"08_reporting/{name}/{pipeline}/cross_validation.json")


def children(project, name):
    return project.query(
        "select r.run_uuid, r.name, r.status from runs r join experiments e using (experiment_id) "
        "join tags t on t.run_uuid = r.run_uuid and t.key = 'mlflow.parentRunId' where e.name=? order by r.name",
        name,
    )


def parent(project, name):
    ((run_id,),) = project.query(
        "select r.run_uuid from runs r join experiments e using (experiment_id) where e.name=? and r.run_uuid not in "
        "(select run_uuid from tags where key = 'mlflow.parentRunId')",
        name,
    )
    return run_id


@pytest.fixture(scope="module")
def validated(project):
    """The shared project after a cross-validation of three folds, and of the network that is kept."""
    project.run("mlp", env="forest_fires", problem={"name": "validated"}, **SMALL_TABLE)
    return project


def test_every_row_is_measured_once(validated):
    folds = validated.json("04_feature/validated/mlp/folds.json")
    np.testing.assert_array_equal(np.sort(np.concatenate([each["test"] for each in folds])), np.arange(517))
    assert [each["n_test"] for each in report(validated, "validated")["folds"]] == [173, 172, 172]


def test_the_means_are_those_of_the_folds(validated):
    found = report(validated, "validated")
    values = [each["metrics"]["rmse"] for each in found["folds"]]
    assert found["statistics"]["rmse"]["mean"] == pytest.approx(np.mean(values))
    assert found["statistics"]["rmse"]["low"] < np.mean(values) < found["statistics"]["rmse"]["high"]
    logged = dict(
        validated.query(
            "select key, value from latest_metrics where run_uuid=?", parent(validated, "validated")
        )
    )
    assert logged["folds/rmse_mean"] == pytest.approx(np.mean(values))


def test_a_fold_is_what_the_pipeline_makes_of_its_split(validated):
    """Run the pipeline's own nodes on the first fold, one by one."""
    from layerwise.data import Split
    from layerwise.utils import derive_seed

    folds = validated.json("04_feature/validated/mlp/folds.json")
    with validated.session("forest_fires", problem={"name": "validated"}, **SMALL_TABLE) as session:
        catalog = session.load_context().catalog
        chosen = pipelines["mlp"].to_outputs("mlp.network_metrics")
        data = {"mlp.split": Split.model_validate(folds[0]), "raw": catalog.load("raw")}
        for node in chosen.nodes:
            if "mlp.split" in node.outputs:
                continue
            given = {name: data[name] if name in data else catalog.load(name) for name in node.inputs}
            if "params:seed" in given:
                given["params:seed"] = derive_seed(0, "fold", 0) % 2**31
            data |= node.run(given)
    expected = data["mlp.network_metrics"].root
    found = report(validated, "validated")["folds"][0]["metrics"]
    assert found == pytest.approx({name: each.value for name, each in expected.items()})


def test_each_fold_is_a_finished_run_below_the_run_with_its_curves(validated):
    found = children(validated, "validated")
    assert [row[1:] for row in found] == [(f"fold_0{k}", "FINISHED") for k in (1, 2, 3)]
    curve = validated.query(
        "select step from metrics where run_uuid=? and key='validation/loss' order by step", found[0][0]
    )
    assert [step for (step,) in curve] == [1, 2, 3]
    test = validated.query("select value from metrics where run_uuid=? and key='test/rmse'", found[0][0])
    assert test == [(pytest.approx(report(validated, "validated")["folds"][0]["metrics"]["rmse"]),)]


def test_the_runs_own_curve_is_that_of_the_network_that_is_kept(validated):
    own = validated.query(
        "select step, value from metrics where run_uuid=? and key='validation/loss' order by step",
        parent(validated, "validated"),
    )
    history = validated.json("07_model_output/validated/mlp/finetuning_history.json")["epochs"]
    assert own == [(k + 1, pytest.approx(each["validation/loss"])) for k, each in enumerate(history)]


def test_the_network_that_is_kept_is_the_one_without_folds(validated):
    from safetensors.torch import load_file

    validated.run(
        "mlp",
        env="forest_fires",
        problem={"name": "unvalidated"},
        finetuning={"epochs": 3},
        to_nodes=["finetuning.train_network_mlp"],
    )
    first, second = (
        load_file(validated.path / f"data/06_models/{name}/mlp/network/network.safetensors")
        for name in ("validated", "unvalidated")
    )
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_the_card_carries_mean_and_interval(validated):
    text = (validated.path / "data/08_reporting/validated/mlp/model_card.md").read_text()
    of = report(validated, "validated")["statistics"]["rmse"]
    assert f"| rmse | lower | {of['mean']:.4f} [{of['low']:.4f}, {of['high']:.4f}] |" in text


@pytest.mark.parametrize("pipeline", ["dbn", "sae"])
def test_pretrained_networks_are_validated_too(project, pipeline):
    project.run(
        pipeline,
        env="forest_fires",
        to_nodes=[f"evaluation.cross_validate_{pipeline}"],
        problem={"name": "pretrained"},
        **SMALL_TABLE,
    )
    assert len(report(project, "pretrained", pipeline)["folds"]) == 3


def test_images_are_split_into_folds(project):
    project.run(
        "mlp",
        to_nodes=["preprocessing.split_folds_mlp"],
        split={"folds": 4},
        problem={"name": "images"},
    )
    folds = project.json("04_feature/images/mlp/folds.json")
    np.testing.assert_array_equal(np.sort(np.concatenate([each["test"] for each in folds])), np.arange(5000))


def test_a_killed_cross_validation_goes_on_to_what_it_would_have_been(project):
    if torch.cuda.is_available():
        pytest.skip("its runs are forks")
    # 3 epochs a fold: the fifth checkpoint is within the second fold.
    params = {"env": "forest_fires", **SMALL_TABLE, "to_nodes": ["evaluation.cross_validate_mlp"]}
    project.run("mlp", problem={"name": "fold_whole"}, **params)
    assert killed_after(5, project, "mlp", problem={"name": "fold_killed"}, **params) < 0
    run_id = run_of(project, "fold_killed")[0]
    project.run("mlp", problem={"name": "fold_killed"}, checkpoints=OFTEN, resume=True, **params)
    assert parent(project, "fold_killed") == run_id
    whole, resumed = (report(project, name) for name in ("fold_whole", "fold_killed"))
    assert resumed["statistics"] == whole["statistics"]
    for first, second in zip(whole["folds"], resumed["folds"], strict=True):
        assert first["metrics"] == second["metrics"]
    assert len(children(project, "fold_killed")) == 3


@pytest.mark.parametrize("pipeline", ["rbm", "gan"])
def test_pipelines_that_predict_nothing_refuse_folds(project, pipeline):
    with pytest.raises(DataError, match="run --pipelines=mlp, dbn or sae"):
        project.run(pipeline, env="forest_fires", problem={"name": "refused"}, split={"folds": 3})


def test_folds_are_advised_where_rows_are_few(project, caplog):
    caplog.set_level("INFO")
    stop = ["preprocessing.split_rows_mlp"]
    project.run("mlp", env="forest_fires", problem={"name": "advised"}, to_nodes=stop)
    assert "517 rows are few" in caplog.text
    assert "--params=split.folds=5" in caplog.text
    caplog.clear()
    project.run("mlp", problem={"name": "advised"}, to_nodes=stop)
    assert "rows are few" not in caplog.text
