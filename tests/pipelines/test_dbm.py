import pytest
import torch

from layerwise.models import load_network
from layerwise.training import TrainingError

SMALL = {"dbm": {"hidden_sizes": [30, 20], "epochs": 3, "mean_field_steps": 2}}


@pytest.fixture(scope="module")
def trained(project):
    # Without most figures and the card, which are those of every supervised network.
    ends = ["summarize_evaluation", "bound_log_prob", "measure_stack", "measure_reference"]
    nodes = [*(f"evaluation.{name}_dbm" for name in ends), "reporting.plot_samples_dbm"]
    project.run(
        "dbm", problem={"name": "boltzmann"}, evaluation={"baselines": False}, **SMALL, to_nodes=nodes
    )
    return project


def network(project, name):
    return load_network(project.path / "data/06_models/boltzmann/dbm" / name)


def test_a_run_leaves_a_network_that_is_better_than_chance(trained):
    metrics = trained.json("08_reporting/boltzmann/dbm/metrics.json")["network"]
    assert metrics["error"]["value"] < 0.5
    found, stack = network(trained, "network"), network(trained, "stack")
    assert found.config.hidden_sizes == (30, 20)
    # What infers the second part of the network's inputs is the machine as it was pretrained.
    assert torch.equal(found.dbm.joint.weight, stack.joint.weight)
    assert not torch.equal(found.hidden[0].weight, stack.joint.weight.T)


def test_both_layers_and_then_all_of_them_learn(trained):
    history = trained.json("07_model_output/boltzmann/dbm/pretraining_history.json")["layers"]
    assert list(history) == ["layer_1", "layer_2", "joint"]
    assert len(history["joint"]) == 3
    assert (
        history["layer_1"][-1]["validation/reconstruction"]
        < history["layer_1"][0]["validation/reconstruction"]
    )


def test_the_run_has_the_bound_of_the_test_rows(trained):
    found = trained.catalog(problem={"name": "boltzmann"}).load("dbm.metrics_bound")
    assert found["test/log_prob_bound"] < 0


def test_rows_without_a_network_of_features_are_answered_as_the_evaluation_answered_them(trained):
    """The model takes rows alone, though training read their features too."""
    catalog = trained.catalog(problem={"name": "boltzmann"})
    rows = catalog.load("dbm.test").inputs[:50]
    found = network(trained, "network")
    assert torch.equal(found(rows), found(found.embed(rows)))


def test_pretraining_that_it_has_no_use_for_is_refused_before_anything_learns(project):
    with pytest.raises(TrainingError, match=r"no use for pretraining\.chain: persistent"):
        project.run(
            "dbm", problem={"name": "refused"}, pretraining={"chain": "persistent"}, **SMALL,
            to_nodes=["pretraining.pretrain_stack_dbm"],
        )  # fmt: skip
