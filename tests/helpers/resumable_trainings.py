"""Small trainings of every kind, each of which returns its weights and metrics: what resuming must not change."""

from collections.abc import Callable, Sequence
from typing import Any

import torch

from layerwise.data import ColumnBlock, DataSpec, TensorData
from layerwise.data.transforms import AugmentationSettings
from layerwise.models import MLP, EnsembleConfig, MLPConfig, NumberEmbeddingConfig
from layerwise.models.rbm import DBM, DBN, RBM, DBMConfig, DBNConfig, MeanFieldNetwork, RBMConfig
from layerwise.training.autoencoder import AutoencoderSettings, build_autoencoder, train_autoencoder
from layerwise.training.callbacks import Callback
from layerwise.training.diagnostics import LayerStatistics
from layerwise.training.gan import GANSettings, train_image_gan
from layerwise.training.rbm import (
    PretrainingSettings,
    RBMTrainingSettings,
    UpDownSettings,
    fit_rbm,
    pretrain_dbn,
)
from layerwise.training.rbm.dbm import DBMTrainingSettings, pretrain_dbm, train_jointly
from layerwise.training.supervised import FinetuningSettings, finetune, train_network_stack
from layerwise.utils import torch_rng

# Where networks and rows are; tests that need a GPU set it.
device = "cpu"


def bits(seed, n=60, columns=9):
    return gray(seed, n, columns).round()


def gray(seed, n=60, columns=16):
    return torch.rand(n, columns, generator=torch_rng(seed, "rows")).to(device)


def labels(seed, n=60, classes=3):
    return torch.randint(0, classes, (n,), generator=torch_rng(seed, "labels")).to(device)


def rbm(
    shape: dict[str, Any], dynamic_binarization: bool = False, **settings: Any
) -> Callable[[], dict[str, Any]]:
    """Return a training of one RBM that gives its weights and metrics."""

    def train() -> dict[str, Any]:
        chosen = RBMTrainingSettings(
            **{"epochs": 5, "batch_size": 25, "pseudo_likelihood_rows": 5, "momentum_epochs": 2} | settings
        )
        network = RBM(RBMConfig(**{"n_visible": 9, "n_hidden": 6} | shape), torch_rng(1, "machine")).to(
            device
        )
        make = bits if network.config.visible == "bernoulli" and not dynamic_binarization else gray
        rows, held_out = TensorData(make(0, columns=9)), TensorData(make(1, 20, 9))
        result = fit_rbm(network, rows, held_out, chosen, 1, dynamic_binarization=dynamic_binarization)
        return {
            "weights": network.state_dict(),
            "history": result.history,
            "reconstruction_history": result.reconstruction_history,
        }

    return train


def up_down() -> dict[str, Any]:
    settings = PretrainingSettings(epochs=1, batch_size=25, up_down=UpDownSettings(epochs=3, steps=2))
    stack = DBN(DBNConfig(n_visible=16, hidden_sizes=(8, 7, 6)), torch_rng(2, "stack")).to(device)
    result = pretrain_dbn(
        stack, TensorData(gray(0)), TensorData(gray(1, 20)), settings, 2, dynamic_binarization=True
    )
    return {"stack": stack.state_dict(), "layers": result.history}


def dbn() -> dict[str, Any]:
    settings = PretrainingSettings(epochs=(3, 2, 3), batch_size=25, features="samples", momentum_epochs=1)
    stack = DBN(DBNConfig(n_visible=16, hidden_sizes=(8, 7, 6)), torch_rng(2, "stack")).to(device)
    result = pretrain_dbn(
        stack, TensorData(gray(0)), TensorData(gray(1, 20)), settings, 2, dynamic_binarization=True
    )
    network = MLP(MLPConfig(n_inputs=16, n_outputs=3, hidden_sizes=(8, 7, 6), activation="sigmoid")).to(
        device
    )
    stack.copy_to(network)
    found = mlp_of(network, epochs=3)
    return {
        **found,
        "stack": stack.state_dict(),
        "layers": result.history,
        "reconstruction_history": result.reconstruction_history,
    }


def dbm() -> dict[str, Any]:
    settings = PretrainingSettings(epochs=(3, 2), batch_size=25, momentum_epochs=1)
    stack = DBM(DBMConfig(n_visible=16, hidden_sizes=(8, 7), mean_field_steps=3)).to(device)
    rows, held_out = TensorData(gray(0)), TensorData(gray(1, 20))
    result = pretrain_dbm(stack, rows, held_out, settings, 2, dynamic_binarization=True)
    joint = DBMTrainingSettings(epochs=4, chains=9, steps=2)
    history, _ = train_jointly(stack, rows, held_out, joint, 25, 2, dynamic_binarization=True)
    plain = MLP(MLPConfig(n_inputs=16, n_outputs=3, hidden_sizes=(8, 7)), torch_rng(2, "network"))
    network = MeanFieldNetwork.of(stack.cpu(), plain).to(device)
    found = mlp_of(network, epochs=3)
    layers = result.history | {"joint": history}
    return {**found, "machine": stack.state_dict(), "layers": layers}


def ensemble() -> dict[str, Any]:
    embedding = NumberEmbeddingConfig(name="periodic", columns=(0, 3), frequencies=4, size=3)
    members = EnsembleConfig(members=3, combine="softmax")
    shape = MLPConfig(
        n_inputs=16,
        n_outputs=3,
        hidden_sizes=(8, 7),
        dropout=0.2,
        ensemble=members,
        number_embedding=embedding,
    )
    return mlp_of(MLP(shape, torch_rng(5, "network")).to(device), optimizer="adamw", weight_decay=0.01)


def mlp_of(
    network: MLP, dynamic_binarization: bool = False, callbacks: Sequence[Callback] = (), **settings: Any
) -> dict[str, Any]:
    chosen = FinetuningSettings(**{"epochs": 6, "batch_size": 25, "learning_rate": 0.02} | settings)
    rows, held_out = TensorData(gray(0), labels(0)), TensorData(gray(1, 30), labels(1, 30))
    statistics = LayerStatistics(network, held_out)
    progress = finetune(
        network,
        "multiclass",
        rows,
        held_out,
        chosen,
        3,
        dynamic_binarization=dynamic_binarization,
        image_shape=(4, 4),
        callbacks=[statistics, *callbacks],
    )
    layer_statistics = [each.metrics() for each in (statistics.start, *statistics.epochs)]
    return {
        "weights": network.state_dict(),
        "history": {"network": progress.history},
        "stop": progress.stop,
        "best_epoch": progress.best_epoch,
        "layer_statistics": layer_statistics,
        "diagnoses": statistics.diagnoses(),
    }


def mlp(shape: dict[str, Any] | None = None, **settings: Any) -> Callable[[], dict[str, Any]]:
    """Return a training of a network that gives its weights and metrics."""
    sizes: dict[str, Any] = {"n_inputs": 16, "n_outputs": 3, "hidden_sizes": (8, 7), "activation": "tanh"}

    def train() -> dict[str, Any]:
        network = MLP(MLPConfig(**sizes | (shape or {})), torch_rng(3, "network")).to(device)
        return mlp_of(network, **settings)

    return train


def network_stack() -> dict[str, Any]:
    seeds = (4, 5, 6, 7)
    shape = MLPConfig(n_inputs=16, n_outputs=3, hidden_sizes=(5,), dropout=0.2, normalization="batch")
    # A high rate and little patience: members leave at different epochs.
    chosen = FinetuningSettings(
        epochs=9,
        batch_size=25,
        learning_rate=0.05,
        dropout=0.2,
        patience=2,
        schedule="plateau",
        plateau_patience=1,
    )
    networks = [MLP(shape, torch_rng(seed, "network")).to(device) for seed in seeds]
    rows, held_out = TensorData(gray(0), labels(0)), TensorData(gray(1, 30), labels(1, 30))
    members, stack_history = train_network_stack(
        networks, "multiclass", rows, held_out, chosen, seeds, dynamic_binarization=True
    )
    assert len({len(history) for history in stack_history.history}) > 1
    return {
        "weights": members.state_dict(),
        "history": {str(k): history for k, history in enumerate(stack_history.history)},
        "stopped": stack_history.stopped,
        "best": stack_history.best_epoch,
    }


def image_columns(n_outputs=3, dynamic_binarization=True) -> DataSpec:
    names = tuple(f"pixel {k}" for k in range(16))
    return DataSpec(
        task="multiclass",
        n_inputs=16,
        n_outputs=n_outputs,
        feature_names=names,
        blocks=tuple(
            ColumnBlock(name=name, kind="real", start=k, stop=k + 1) for k, name in enumerate(names)
        ),
        target_names=("class",),
        class_names=("a", "b", "c"),
        image_shape=(4, 4),
        dynamic_binarization=dynamic_binarization,
    )


def autoencoder(dynamic_binarization: bool = True, **settings: Any) -> Callable[[], dict[str, Any]]:
    """Return a training of an autoencoder that gives its weights and metrics."""

    def train() -> dict[str, Any]:
        chosen = AutoencoderSettings(**{"epochs": 5, "batch_size": 25, "latent_size": 4} | settings)
        columns = image_columns(dynamic_binarization=dynamic_binarization)
        network = build_autoencoder(chosen, columns, torch_rng(5, "autoencoder")).to(device)
        progress, reconstruction_history = train_autoencoder(
            network, TensorData(gray(0)), TensorData(gray(1, 20)), columns, chosen, 5, silent=True
        )
        return {
            "weights": network.state_dict(),
            "history": progress.history,
            "reconstruction_history": reconstruction_history.entries,
        }

    return train


def gan(**settings: Any) -> Callable[[], dict[str, Any]]:
    """Return a training of a GAN of images that gives both networks, the animation and the metrics."""

    def train() -> dict[str, Any]:
        small: dict[str, Any] = {"generator_sizes": (8,), "discriminator_sizes": (8,), "latent_size": 4}
        chosen = GANSettings(**{"epochs": 5, "batch_size": 20} | small | settings)
        classifier = MLP(MLPConfig(n_inputs=16, n_outputs=3, hidden_sizes=(4,)), torch_rng(6, "classes"))
        rows, held_out = TensorData(gray(0), labels(0)), TensorData(gray(1, 30), labels(1, 30))
        trained_gan = train_image_gan(rows, held_out, image_columns(), chosen, 6, classifier)
        return {
            "generator": trained_gan.generator.state_dict(),
            "discriminator": trained_gan.discriminator.state_dict(),
            "history": trained_gan.history,
            "animation": trained_gan.sample_history,
            "diagnoses": trained_gan.diagnoses,
        }

    return train


TRAININGS: dict[str, Callable[[], dict[str, Any]]] = {
    "rbm": rbm({}, final_learning_rate=0.0, final_steps=3),
    "rbm persistent, centered, sparse": rbm(
        {}, chain="persistent", chains=7, centered=True, sparsity_target=0.1
    ),
    "rbm of averaged weights": rbm({}, chain="persistent", chains=7, averaged_epochs=0.6),
    "rbm tempered": rbm({}, chain="tempered", chains=4, temperatures=3),
    "rbm with dropout, dynamic binarization": rbm({"dropout": 0.3}, dynamic_binarization=True, dropout=0.3),
    "rbm of learned variances": rbm({"visible": "gaussian", "learn_variance": True}),
    "rbm with a best epoch": rbm({}, monitor="validation/pseudo_likelihood", patience=2, learning_rate=3.0),
    "rbm in bfloat16": rbm({}, bfloat16=True),
    "dbn": dbn,
    "dbn, up and down": up_down,
    "dbm": dbm,
    "mlp by adam, cosine, dropout": mlp(
        {"dropout": 0.3, "input_dropout": 0.1}, schedule="cosine", dropout=0.3
    ),
    "mlp by nesterov, plateau": mlp(optimizer="nesterov", schedule="plateau", plateau_patience=1),
    "mlp by nadam, dropconnect": mlp({"dropconnect": 0.2}, optimizer="nadam", dropconnect=0.2),
    "mlp, batch normalization, patience": mlp({"normalization": "batch"}, patience=1, learning_rate=0.2),
    "mlp by adagrad, steps and minutes": mlp(optimizer="adagrad", max_steps=11, max_minutes=60.0),
    "mlp of augmented, dynamically binarized images": mlp(
        augmentation=AugmentationSettings(rotate=9, noise=0.1), dynamic_binarization=True
    ),
    "ensemble with embedded numbers": ensemble,
    "network stack": network_stack,
    "autoencoder that denoises": autoencoder(variant="denoising", patience=2),
    "autoencoder with a sparse latent": autoencoder(variant="sparse", schedule="cosine"),
    "autoencoder, variational": autoencoder(variant="variational"),
    "gan": gan(),
    "gan of classes, averaged, several critic steps": gan(
        condition="class", ema_decay=0.9, discriminator_steps=2, generator_normalization="batch", dropout=0.2
    ),
}


def without_times(found):
    """Return weights and metrics as plain data, without what a clock says."""
    if isinstance(found, torch.Tensor):
        return found.detach().cpu().tolist()
    if isinstance(found, dict):
        left_out = ("seconds", "layer_statistics", "diagnoses")
        return {k: without_times(v) for k, v in found.items() if k not in left_out}
    return [without_times(each) for each in found] if isinstance(found, list | tuple) else found
