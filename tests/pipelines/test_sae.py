import pytest
import torch

from layerwise.models import load_network


def weights(project, problem, name):
    return load_network(project.path / "data/06_models" / problem / "sae" / name).state_dict()


@pytest.fixture(scope="module")
def stacked(project):
    project.run("sae", problem={"name": "stacked"})
    return project


def test_a_run_leaves_a_network_that_is_better_than_chance(stacked):
    metrics = stacked.json("08_reporting/stacked/sae/metrics.json")["network"]
    assert metrics["error"]["value"] < 0.5
    shape = stacked.json("06_models/stacked/sae/network/network.json")
    assert (shape["hidden_sizes"], shape["activation"]) == ([40, 30], "sigmoid")


def test_the_stack_reconstructs_better_the_longer_a_layer_is_trained(stacked):
    history = stacked.json("07_model_output/stacked/sae/pretraining_history.json")
    assert list(history["layers"]) == ["layer_1", "layer_2"]
    for epochs in history["layers"].values():
        assert epochs[-1]["validation/loss"] < epochs[0]["validation/loss"]
    assert history["reconstruction_history"][-1]["loss"] < history["reconstruction_history"][0]["loss"]
    found = stacked.catalog(problem={"name": "stacked"}).load("sae.metrics_stack")
    assert 0 < found["test/reconstruction_mse"] < 0.08  # the mean image leaves 0.067


def test_pretrained_layers_reach_the_classifier(stacked):
    stacked.run(
        "sae",
        problem={"name": "frozen"},
        pretraining={"freeze": True},
        to_nodes=["finetuning.finetune_network_sae"],
    )
    stack, network = weights(stacked, "frozen", "stack"), weights(stacked, "frozen", "network")
    for k in range(2):
        assert torch.equal(network[f"hidden.{k}.weight"], stack[f"layers.{k}.encoder.0.weight"])
        assert torch.equal(network[f"hidden.{k}.bias"], stack[f"layers.{k}.encoder.0.bias"])


def test_rbms_unroll_and_are_trained_on_as_one_deep_autoencoder(project):
    stop = ["pretraining.pretrain_stack_sae"]
    project.run("sae", problem={"name": "unrolled"}, pretraining={"method": "rbm"}, to_nodes=stop)
    history = project.json("07_model_output/unrolled/sae/pretraining_history.json")
    assert list(history["layers"]) == ["layer_1", "layer_2", "unrolled"]
    epochs = history["layers"]["unrolled"]
    assert epochs[-1]["validation/loss"] < epochs[0]["validation/loss"]
    stack = weights(project, "unrolled", "stack")
    # The weights are untied: the decoder's have left the RBMs'.
    assert not torch.equal(stack["layers.0.encoder.0.weight"].T, stack["layers.0.decoder.0.weight"])


def test_without_pretraining_there_is_no_stack_to_evaluate(project):
    project.run("sae", problem={"name": "from_scratch"}, pretraining={"method": "none"})
    written = {path.stem for path in (project.path / "data").rglob("from_scratch/sae/*")}
    assert "network" in written
    assert written.isdisjoint({"stack", "pretraining_history", "metrics_stack", "reconstructions", "samples"})


def test_a_table_is_pretrained_by_the_kinds_of_its_columns(project):
    settings = {"sae": {"variant": "contractive"}, "pretraining": {"batch_size": 50}}
    project.run("sae", env="forest_fires", **settings, to_nodes=["evaluation.summarize_evaluation_sae"])
    shape = project.json("06_models/forest_fires/sae/stack/network.json")["layers"]
    assert [layer["loss"] for layer in shape] == ["mixed", "binary_cross_entropy"]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"sae": {"variant": "deep"}}, r"sae.variant"),
        ({"sae": {"corruption_levels": [0.1]}}, r"corruption_levels has 1 value\(s\) for 2 layers"),
        ({"sae": {"activation": "relu"}}, "set latent_activation"),
        ({"sae": {"variant": "sparse", "sparsity": "top_k"}}, "has no top_k units"),
        ({"sae": {"corruption": "swp"}}, "sae.corruption"),
    ],
)
def test_settings_that_make_no_stack_are_refused_before_anything_runs(project, params, message):
    with pytest.raises(ValueError, match=message):
        project.run("sae", **params)


def test_autoencoders_belong_to_their_own_pipeline(project):
    with pytest.raises(RuntimeError, match="--pipelines=sae"):
        project.run("dbn", pretraining={"method": "autoencoder"}, problem={"name": "misplaced"})
