import json

import pytest
import torch
from sklearn.linear_model import LogisticRegression

from layerwise.models import (
    MLP,
    CalibratedConfig,
    CalibratedNetwork,
    Members,
    MembersConfig,
    MLPConfig,
    Recommender,
    RecommenderConfig,
    fit_estimator,
    load_network,
    save_network,
)
from layerwise.models.autoencoder import (
    VAE,
    Autoencoder,
    AutoencoderConfig,
    ConvolutionalAutoencoder,
    ConvolutionalConfig,
    RatingAutoencoder,
    RatingAutoencoderConfig,
    SequenceAutoencoder,
    SequenceConfig,
    StackConfig,
    StackedAutoencoders,
    VAEConfig,
)
from layerwise.models.gan import Discriminator, DiscriminatorConfig, Generator, GeneratorConfig
from layerwise.models.kinds import KINDS
from layerwise.models.rbm import (
    DBM,
    DBN,
    RBM,
    DBMConfig,
    DBNConfig,
    MeanFieldNetwork,
    MeanFieldNetworkConfig,
    RBMConfig,
)


def estimator():
    """A fitted model of scikit-learn behind a network's doors."""
    rng = torch.Generator().manual_seed(1)
    inputs = torch.rand(20, 5, generator=rng)
    targets = (inputs[:, :2] > 0.5).float()
    return fit_estimator(LogisticRegression(), "linear", "multilabel", inputs, targets, n_outputs=2)


def network(kind):
    if kind == "estimator":
        return estimator()
    inner = MLPConfig(n_inputs=5, n_outputs=2, hidden_sizes=(4,))
    shape = {
        "calibrated": CalibratedConfig(network=inner.model_dump(mode="json"), task="multiclass"),
        "rbm": RBMConfig(n_visible=5, n_hidden=3, visible="gaussian"),
        "dbn": DBNConfig(n_visible=5, hidden_sizes=(4, 3)),
        "dbm": DBMConfig(n_visible=5, hidden_sizes=(4, 3)),
        "mean_field_network": MeanFieldNetworkConfig(n_inputs=5, n_outputs=2, hidden_sizes=(4, 3)),
        "mlp": MLPConfig(n_inputs=5, n_outputs=2, hidden_sizes=(4, 3), activation="prelu", dropout=0.5),
        "mlp_members": MembersConfig(shape=MLPConfig(n_inputs=5, n_outputs=2), seeds=(0, 4)),
        "autoencoder": AutoencoderConfig(n_inputs=5, hidden_sizes=(4,), latent_size=2, tied=True),
        "variational": VAEConfig(n_inputs=5, hidden_sizes=(4,), latent_size=2, loss="gaussian"),
        "convolutional": ConvolutionalConfig(image_shape=(1, 5), channels=(2,), latent_size=3),
        "rating_autoencoder": RatingAutoencoderConfig(n_groups=1, levels=(1, 2, 3, 4, 5), latent_size=2),
        "sequence_autoencoder": SequenceConfig(n_inputs=5, latent_size=3),
        "stacked_autoencoders": StackConfig(layers=(AutoencoderConfig(n_inputs=5, latent_size=3),)),
        "generator": GeneratorConfig(latent_size=5, n_outputs=4, hidden_sizes=(3,)),
        "discriminator": DiscriminatorConfig(n_inputs=5, hidden_sizes=(3,)),
        "recommender": RecommenderConfig(n_items=5, latent_size=2, n_neighbors=3),
    }[kind]
    made = {
        "calibrated": CalibratedNetwork,
        "rbm": RBM,
        "dbn": DBN,
        "dbm": DBM,
        "mean_field_network": MeanFieldNetwork,
        "mlp": MLP,
        "mlp_members": Members,
        "autoencoder": Autoencoder,
        "variational": VAE,
        "convolutional": ConvolutionalAutoencoder,
        "rating_autoencoder": RatingAutoencoder,
        "sequence_autoencoder": SequenceAutoencoder,
        "stacked_autoencoders": StackedAutoencoders,
        "generator": Generator,
        "discriminator": Discriminator,
        "recommender": Recommender,
    }[kind](shape)
    rng = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for value in made.parameters():
            value.normal_(generator=rng)
        if kind == "recommender":
            for name in ("popularity", "item_means", "similarities", "latents"):
                getattr(made, name).uniform_(generator=rng)
            made.neighbors.random_(0, 5, generator=rng)
    return made


@pytest.mark.parametrize("kind", KINDS.all())
def test_a_network_comes_back_bit_for_bit(kind, tmp_path):
    saved = network(kind)
    save_network(saved, tmp_path / "new" / "folder")
    found = load_network(tmp_path / "new" / "folder")
    assert type(found) is type(saved)
    assert found.config == saved.config
    assert not found.training
    assert found.state_dict().keys() == saved.state_dict().keys()
    for name, value in saved.state_dict().items():
        assert torch.equal(found.state_dict()[name], value), name
    rows = torch.rand(6, 5)
    if kind == "sequence_autoencoder":
        rows = rows[None]
    if kind == "recommender":
        rows = rows[0]
    use = next(each for each in ("reconstruct", "fold_in", "forward") if hasattr(saved, each))
    assert torch.equal(getattr(found, use)(rows), getattr(saved.eval(), use)(rows))


def test_two_files_are_left_and_nothing_half_written(tmp_path):
    save_network(network("rbm"), tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"network.json", "network.safetensors"}
    assert json.loads((tmp_path / "network.json").read_text())["kind"] == "rbm"


def test_an_interrupted_save_leaves_the_old_network_whole(tmp_path, monkeypatch):
    first = network("rbm")
    save_network(first, tmp_path)
    second = network("rbm")
    second.weight.add_(1)

    def fail(*_):
        raise OSError("no space left on device")

    monkeypatch.setattr("pathlib.Path.write_text", fail)
    with pytest.raises(OSError, match="no space"):
        save_network(second, tmp_path)
    monkeypatch.undo()
    assert len(list(tmp_path.iterdir())) == 2
    assert torch.equal(load_network(tmp_path).weight, first.weight)
    save_network(second, tmp_path)
    assert torch.equal(load_network(tmp_path).weight, second.weight)
    assert len(list(tmp_path.iterdir())) == 2


def test_saving_leaves_the_network_as_it_was(tmp_path):
    saved = network("mlp").train()
    before = {name: value.clone() for name, value in saved.state_dict().items()}
    save_network(saved, tmp_path)
    assert saved.training
    assert all(value.requires_grad for value in saved.parameters())
    assert all(torch.equal(value, before[name]) for name, value in saved.state_dict().items())


NO_FIT = r"weights do not fit the shape in network\.json"


@pytest.mark.parametrize(
    ("kind", "changes", "message"),
    [
        ("dbn", {"kind": "dbnn"}, r"network\.json: unknown kind of network 'dbnn'; did you mean 'dbn'"),
        ("dbn", {"n_visible": 6}, NO_FIT),
        ("dbn", {"hidden_sizes": [4]}, NO_FIT),
        ("dbn", {"hidden_sizes": [4, 3, 2]}, NO_FIT),
        ("rbm", {"n_hiden": 3}, "did you mean 'n_hidden'"),
    ],
)
def test_a_shape_that_is_not_the_weights_is_refused_with_what_is_wrong(kind, changes, message, tmp_path):
    save_network(network(kind), tmp_path)
    shape = json.loads((tmp_path / "network.json").read_text())
    (tmp_path / "network.json").write_text(json.dumps(shape | changes))
    with pytest.raises(ValueError, match=message):
        load_network(tmp_path)


def test_corrupt_weights_are_refused_with_the_name_of_the_file(tmp_path):
    save_network(network("rbm"), tmp_path)
    path = tmp_path / "network.safetensors"
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(ValueError, match=r"network\.safetensors is corrupt"):
        load_network(tmp_path)


@pytest.mark.parametrize("name", ["network.json", "network.safetensors"])
def test_a_missing_file_is_named(name, tmp_path):
    save_network(network("rbm"), tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(FileNotFoundError, match=name):
        load_network(tmp_path)
