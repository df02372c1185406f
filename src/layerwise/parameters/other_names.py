"""Settings under the names that other libraries give them, or in the group of another part of the same network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from layerwise.parameters.keys import PARAMETERS, is_model
from layerwise.utils import nearest

# What scikit-learn, PyTorch, Keras and the papers call a setting -> what it may be called here.
OTHER_NAMES = {
    ("lr", "eta", "rate", "learning_rate", "learning_rate_init", "step_size"): (
        "learning_rate",
        "generator_learning_rate",
    ),
    ("n_epochs", "num_epochs", "max_epochs", "max_iter", "n_iter"): ("epochs",),
    ("bs", "minibatch_size", "batch"): ("batch_size",),
    ("layers", "hidden_layers", "hidden_layer_sizes", "hidden_units", "hidden_dims", "units", "n_units"): (
        "hidden_sizes",
        "n_hidden",
    ),
    ("n_components",): ("n_hidden", "latent_size"),
    ("latent_dim", "latent_dims", "z_dim", "n_z", "code_size", "encoding_dim", "noise_dim"): ("latent_size",),
    ("k", "cd_k", "n_gibbs", "gibbs_steps"): ("steps",),
    ("dropout_rate", "p_dropout", "drop"): ("dropout",),
    ("wd", "alpha", "l2_reg", "l2_penalty", "weight_cost"): ("weight_decay", "l2"),
    ("early_stopping", "n_iter_no_change"): ("patience",),
    ("noise", "noise_level", "corruption_rate", "corruption_fraction"): ("corruption_level",),
    ("n_critic", "critic_iterations"): ("discriminator_steps",),
    ("temperature", "n_temperatures"): ("temperatures",),
    ("random_state", "random_seed"): ("seed",),
}
MEANT = {other: here for others, here in OTHER_NAMES.items() for other in others}
# The groups that hold the other settings of what a group describes, in the order in which they are read.
RELATED = {
    "mlp": ("finetuning",),
    "dbn": ("pretraining", "finetuning"),
    "dbm": ("pretraining", "finetuning"),
    "sae": ("pretraining", "finetuning"),
    "pretraining": ("dbn", "sae", "dbm"),
    "finetuning": ("mlp", "dbn", "sae"),
}


def meant_settings(group: str, name: str) -> list[str]:
    """Return what an unknown setting of a group may be called, whole (`finetuning.epochs`); none if nothing is like it.

    A name that the group has itself goes before one of another group, and one that stands there as it is given before
    what another library means by it.
    """
    for each in (group, *RELATED.get(group, ())):
        own = _settings_of(each)
        if found := [meant for meant in (name, *MEANT.get(name.lower(), ())) if meant in own]:
            others = [] if each == group else RELATED[group][RELATED[group].index(each) + 1 :]
            also = [f"{other}.{found[0]}" for other in others if found[0] in _settings_of(other)]
            return [f"{each}.{found[0]}", *also]
    return ["seed"] if "seed" in MEANT.get(name.lower(), ()) else []


def suggest_whole_name(name: str) -> str:
    """Return what an unknown top-level key may be: settings of that name in their groups, or the nearest key."""
    groups = [group for group, kind in PARAMETERS.items() if is_model(kind)]
    for meant in (name, *MEANT.get(name.lower(), ())):
        if found := [f"{group}.{meant}" for group in groups if meant in _settings_of(group)]:
            return f"; did you mean one of {', '.join(found)}?"
    return nearest(name, list(PARAMETERS))


def take_other_names(parameters: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return nested parameters without the unknown settings whose right name is known, and a sentence for each."""
    left, sentences = dict(parameters), []
    for group, values in parameters.items():
        if not isinstance(values, Mapping) or not is_model(PARAMETERS.get(group)):
            continue
        for name in map(str, values):
            if name not in _settings_of(group) and (meant := meant_settings(group, name)):
                sentences.append(f"{group}: unknown parameter '{name}'; did you mean {' or '.join(meant)}?")
                left[group] = {key: value for key, value in left[group].items() if str(key) != name}
    return left, sentences


def _settings_of(group: str) -> list[str]:
    """Return the names of a group's settings."""
    return [field.alias or name for name, field in PARAMETERS[group].model_fields.items()]
