import copy

import pytest
import torch
from helpers.resumable_trainings import gray, image_columns, labels

from layerwise.data import TensorData
from layerwise.inference import ModelManifest, TrainedModel
from layerwise.inference.tasks import offered_tasks
from layerwise.models import MLP, MLPConfig, load_network
from layerwise.models.rbm import DBM, DBMConfig, MeanFieldNetwork
from layerwise.pipelines.finetuning.nodes import finetune_mean_field_network, finetune_network
from layerwise.pipelines.previews import StackPreview
from layerwise.training import TrainingError
from layerwise.training.supervised import FinetuningSettings
from layerwise.utils import torch_rng

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


def test_the_trained_network_can_be_asked_to_predict(trained):
    preprocessor = trained.catalog(problem={"name": "boltzmann"}).load("dbm.preprocessor")
    model = TrainedModel(network(trained, "network"), preprocessor, ModelManifest(problem="boltzmann"))
    assert offered_tasks(model)[0].name == "predict"


def test_rows_that_are_inferred_once_train_the_network_as_those_inferred_in_each_batch_do():
    dbm = DBM(DBMConfig(n_visible=16, hidden_sizes=(6, 5), mean_field_steps=3), torch_rng(1, "dbm"))
    plain = MLP(MLPConfig(n_inputs=16, n_outputs=3, hidden_sizes=(6, 5)), torch_rng(1, "network"))
    once = MeanFieldNetwork.of(dbm, plain)
    each_time = copy.deepcopy(once)
    rows, held_out = TensorData(gray(0), labels(0)), TensorData(gray(1, 30), labels(1, 30))
    columns = image_columns(dynamic_binarization=False)
    settings = FinetuningSettings(epochs=3, batch_size=25, dropout=0.2, learning_rate=0.02)
    finetune_mean_field_network(once, rows, held_out, columns, settings, 0)
    finetune_network(each_time, rows, held_out, columns, settings, 0)
    assert not torch.equal(once.hidden[0].weight, dbm.joint.weight.T)
    for name, value in once.state_dict().items():
        torch.testing.assert_close(value, each_time.state_dict()[name], atol=1e-5, rtol=0)


def test_kedro_viz_shows_three_layers_without_arrows(trained):
    trained.catalog(problem={"name": "boltzmann"})  # a session, by which the preview knows the problem
    shown = StackPreview("dbm")().content
    assert shown.count("---") == 2
    assert "-->" not in shown
    assert all(size in shown for size in ("784 units", "30 units", "20 units"))


def test_pretraining_that_it_has_no_use_for_is_refused_before_anything_learns(project):
    with pytest.raises(TrainingError, match=r"no use for pretraining\.chain: persistent"):
        project.run(
            "dbm", problem={"name": "refused"}, pretraining={"chain": "persistent"}, **SMALL,
            to_nodes=["pretraining.pretrain_stack_dbm"],
        )  # fmt: skip
