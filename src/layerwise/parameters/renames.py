"""The parameters and values of the first edition that have another name now.

Nothing is read under its old name: it gets one error that says the new one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

# Old name -> new name. A top-level key stands for all parameters under it that have no line of their own.
RENAMED_PARAMETERS = {
    "split.test_share": "split.test_fraction",
    "split.validation_share": "split.validation_fraction",
    "preparation": "preprocessing",
    "preparation.scaled": "preprocessing.scaled_columns",
    "preparation.category_columns": "preprocessing.categorical_columns",
    "preparation.binarise": "preprocessing.binarize",
    "pretraining.activities": "pretraining.features",
    "pretraining.centred": "pretraining.centered",
    "pretraining.sparsity_memory": "pretraining.sparsity_decay",
    "pretraining.variance_rate": "pretraining.variance_rate_factor",
    "dbn.random_initialiser": "dbn.random_initializer",
    "mlp.normalisation": "mlp.normalization",
    "mlp.initialiser": "mlp.initializer",
    "mlp.initialiser_gain": "mlp.initializer_gain",
    "mlp.output_initialiser": "mlp.output_initializer",
    "mlp.bias_initialiser": "mlp.bias_initializer",
    "rbm.centred": "rbm.centered",
    "rbm.sparsity_memory": "rbm.sparsity_decay",
    "rbm.variance_rate": "rbm.variance_rate_factor",
    "rbm.hidden_group": "rbm.hidden_group_size",
    "rbm.watched_rows": "rbm.pseudo_likelihood_rows",
    "rbm.classifier": "rbm.classification_rbm",
    "rbm.documents": "rbm.perplexity_documents",
    "autoencoder.code_activation": "autoencoder.latent_activation",
    "autoencoder.initialiser": "autoencoder.initializer",
    "autoencoder.initialiser_gain": "autoencoder.initializer_gain",
    "autoencoder.kept_units": "autoencoder.top_k_units",
    "autoencoder.optimiser": "autoencoder.optimizer",
    "autoencoder.code_size": "autoencoder.latent_size",
    "autoencoder.uses": "autoencoder.downstream_tasks",
    "autoencoder.anomaly": "autoencoder.anomaly_class",
    "sae.code_activation": "sae.latent_activation",
    "sae.initialiser": "sae.initializer",
    "sae.initialiser_gain": "sae.initializer_gain",
    "sae.kept_units": "sae.top_k_units",
    "sae.optimiser": "sae.optimizer",
    "finetuning.minimum_change": "finetuning.min_delta",
    "finetuning.keep_best": "finetuning.keep_best_weights",
    "finetuning.optimiser": "finetuning.optimizer",
    "health": "layer_statistics",
    "gradients.initialisers": "gradients.initializers",
    "gradients.sick_depth": "gradients.failing_depth",
    "gradients.sick_gain": "gradients.failing_gain",
    "gan.optimiser": "gan.optimizer",
    "gan.generator_rate": "gan.generator_learning_rate",
    "gan.discriminator_rate": "gan.discriminator_learning_rate",
    "gan.clip": "gan.weight_clip",
    "gan.reconstruction": "gan.reconstruction_weight",
    "gan.average": "gan.ema_decay",
    "gan.generator_normalisation": "gan.generator_normalization",
    "gan.discriminator_normalisation": "gan.discriminator_normalization",
    "gan.spectral": "gan.spectral_normalization",
    "gan.packed": "gan.pac",
    "gan.pictures": "gan.animation_frames",
    "gan.classifier_epochs": "gan.feature_classifier_epochs",
    "gan.compare": "gan.baselines",
    "gan.compare_epochs": "gan.baseline_epochs",
    "gan.table.balanced": "gan.table.log_frequency",
    "ring.optimiser": "ring.optimizer",
    "ring.generator_rate": "ring.generator_learning_rate",
    "ring.discriminator_rate": "ring.discriminator_learning_rate",
    "ring.clip": "ring.weight_clip",
    "ring.reconstruction": "ring.reconstruction_weight",
    "ring.average": "ring.ema_decay",
    "ring.spectral": "ring.spectral_normalization",
    "ring.games": "ring.variants",
    "applications": "gan_applications",
    "applications.optimiser": "gan_applications.optimizer",
    "applications.generator_rate": "gan_applications.generator_learning_rate",
    "applications.discriminator_rate": "gan_applications.discriminator_learning_rate",
    "applications.clip": "gan_applications.weight_clip",
    "applications.reconstruction": "gan_applications.reconstruction_weight",
    "applications.average": "gan_applications.ema_decay",
    "applications.page_epochs": "gan_applications.demo_epochs",
    "applications.page_latent_size": "gan_applications.demo_latent_size",
}
# Parameter (new name) -> its old values -> their new ones.
RENAMED_VALUES = {"preprocessing.binarize": {"fresh": "dynamic", "fixed": "static"}}


def current_name(path: tuple[str, ...]) -> tuple[str, ...]:
    """Return a parameter's path as it is now, be it an old one or not."""
    name = ".".join(path)
    if name in RENAMED_PARAMETERS:
        return tuple(RENAMED_PARAMETERS[name].split("."))
    return (RENAMED_PARAMETERS.get(path[0], path[0]), *path[1:])


def find_renames(parameters: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return nested parameters with today's names and values, and a sentence for each that has another one now.

    What was given under an old name takes the place of what stands under the new one, such as the default of
    `conf/base`, so that the rest of the checks see what was meant.
    """
    leaves = [(path, current_name(path), value) for path, value in _leaves(parameters)]
    renamed: dict[str, Any] = {}
    sentences = []
    for old, new, value in sorted(leaves, key=lambda leaf: leaf[0] != leaf[1]):
        name, now = ".".join(new), value
        if old != new:
            sentences.append(f"{'.'.join(old)} is called {name} now")
        if isinstance(value, str) and value in RENAMED_VALUES.get(name, {}):
            now = RENAMED_VALUES[name][value]
            sentences.append(f"{name}: {value} is called {now} now")
        _put(renamed, new, now)
    return (renamed if sentences else parameters), sentences


def _leaves(values: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield the path and value of everything that is no group of parameters, or an empty one."""
    for key, value in values.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, (*path, str(key)))
        else:
            yield (*path, str(key)), {} if value == {} else value


def _put(values: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    """Put a value at its path; an empty group takes nothing away."""
    for key in path[:-1]:
        if not isinstance(values.get(key), dict):
            values[key] = {}
        values = values[key]
    if value not in (None, {}) or path[-1] not in values:
        values[path[-1]] = value
