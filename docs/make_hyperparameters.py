"""The page of all hyperparameters: `python docs/make_hyperparameters.py docs/hyperparameters.md`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, get_args, get_origin

from page_writer import write
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from layerwise.data.transforms import CORRUPTIONS
from layerwise.evaluation.reports import table
from layerwise.models import ACTIVATION_CHOICES, INITIALIZER_CHOICES, NUMBER_EMBEDDINGS
from layerwise.parameters import PARAMETERS, is_model
from layerwise.training.autoencoder import SPARSITIES, known_variants
from layerwise.training.gan import known_objectives
from layerwise.training.optim import OPTIMIZERS, SCHEDULES
from layerwise.training.supervised import LOSSES, TASKS
from layerwise.utils import Choice, Registered, has_rule

HEAD = """# Hyperparameters

Made of the parameter models by `python docs/make_hyperparameters.py docs/hyperparameters.md`; a test fails when it is
stale. Each name is one line in `conf/`, or one `--params=name=value` of a run; a value that does not fit is refused
before anything runs. The defaults are those of `conf/base`; what a problem's folder says comes first.
"""
# A longer list of names stands in a table of its own.
ELSEWHERE = {
    "activation": "Activations",
    "initializer": "Initialisers",
    "random_initializer": "Initialisers",
    "output_initializer": "Initialisers",
    "number_embedding": "Embeddings",
    "optimizer": "Optimisers",
    "schedule": "Schedules",
    "loss": "Losses",
    "variant": "Autoencoders",
    "corruption": "Corruption",
    "sparsity": "Sparsity",
    "latent_activation": "Activations",
    "decoder_activation": "Activations",
    "objective": "Objectives",
}
KEYS: dict[str, type[BaseModel]] = {key: kind for key, kind in PARAMETERS.items() if is_model(kind)}
# Settings of a name with a table of its own that take only a few of its values.
FEW = tuple(
    f"{key}.{name}" for key in ("gan", "ring", "gan_applications") for name in ("optimizer", "schedule")
)


def settings_of(model: type[BaseModel], prefix: str) -> Iterator[tuple[str, FieldInfo]]:
    """Yield every setting of a model with its dotted name, those of models inside it too."""
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from settings_of(inner, f"{prefix}.{name}")
        else:
            yield f"{prefix}.{name}", field


def values_of(field: FieldInfo) -> str:
    """Return what a setting may be, in words: choices by name, numbers with their limits."""
    return " or ".join(dict.fromkeys([*_kinds(field.annotation, field.metadata)]))


def _kinds(kind: Any, limits: list[Any]) -> Iterator[str]:
    registered = [each for each in limits if isinstance(each, Registered)]
    if registered:
        yield ", ".join(registered[0].names())
    elif get_origin(kind) is Literal:
        yield ", ".join(str(value) for value in get_args(kind))
    elif get_origin(kind) is tuple:
        yield "a list"
    elif hasattr(kind, "__metadata__"):  # Annotated: the limits stand beside the type
        yield from _kinds(kind.__origin__, [*kind.__metadata__, *limits])
    elif get_args(kind):
        for each in get_args(kind):
            yield from _kinds(each, limits)
    elif kind is type(None):
        yield "null"
    else:
        name = {bool: "true, false", int: "whole number", float: "number", str: "text"}.get(kind, str(kind))
        yield f"{name} {' and '.join(_limits(limits))}".strip() if kind in (int, float) else name


def _limits(limits: list[Any]) -> Iterator[str]:
    for limit in limits:
        for sign, words in (("gt", ">"), ("ge", ">="), ("lt", "<"), ("le", "<=")):
            if hasattr(limit, sign):
                yield f"{words} {getattr(limit, sign):g}"
        if hasattr(limit, "metadata"):
            yield from _limits(limit.metadata)


def _default(value: Any) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(str(each) for each in value) + "]"
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    return str(value) or '""'


def _choices(title: str, choices: Mapping[Any, Choice], third: str, column: Mapping[Any, str]) -> str:
    rows = [
        [f"`{name}`", choice.meaning, choice.when, column.get(name, "")] for name, choice in choices.items()
    ]
    head = ["name", "definition", "when to use", third]
    if not any(column.values()):
        head, rows = head[:3], [row[:3] for row in rows]
    return f"## {title}\n\n" + table(head, rows)


def document() -> str:
    """Return the whole page."""
    rows = []
    for key, model in KEYS.items():
        for name, field in settings_of(model, key):
            extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
            short = name.rsplit(".", 1)[-1]
            values = (
                f"see [{ELSEWHERE[short]}](#{ELSEWHERE[short].lower()})"
                if short in ELSEWHERE and name not in FEW
                else values_of(field)
            )
            if short == "loss" and key in ("autoencoder", "sae"):
                values = values_of(field)
            if short == "activation":
                values += ", or a list"
            rows.append(
                [
                    f"`{name}`",
                    field.description or "",
                    values,
                    "required"
                    if field.is_required()
                    else f"`{_default(None if has_rule(field) else field.default)}`",
                    str(extra.get("when", "")),
                    str(extra.get("not_with", "")),
                ]
            )
    uses = {name: ", ".join(choice.uses) for name, choice in OPTIMIZERS.items()}
    parts = [
        HEAD,
        table(["name", "meaning", "values", "default", "when to use", "incompatible with"], rows),
        _choices("Activations", ACTIVATION_CHOICES, "", {}),
        "The output layer follows from the task: linear for regression (exponential with the loss poisson), one "
        "sigmoid for binary, softmax for multiclass, n sigmoids for multilabel.",
        _choices("Initialisers", INITIALIZER_CHOICES, "", {})
        + "\n\nn is the number of inputs of a unit, m of units.",
        _choices("Embeddings", NUMBER_EMBEDDINGS, "", {})
        + "\n\nx is a number column after scaling, which goes on as x / sqrt(1 + (x / 3)^2) where it is embedded.",
        _choices("Optimisers", OPTIMIZERS, "its settings", uses)
        + "\n\ng is the gradient and r the learning rate. Any other setting with one of these names is an error.",
        _choices("Schedules", SCHEDULES, "its settings", {n: ", ".join(c.uses) for n, c in SCHEDULES.items()})
        + "\n\n`warmup_epochs` is a linear rise before any of them but one_cycle.",
        _choices("Autoencoders", {n: each.choice for n, each in known_variants().items()}, "", {})
        + "\n\nA stack (`sae`) takes those of one layer.",
        _choices("Corruption", CORRUPTIONS, "", {}),
        _choices(
            "Sparsity", SPARSITIES, "its settings", {n: ", ".join(c.uses) for n, c in SPARSITIES.items()}
        ),
        _choices("Losses", LOSSES, "tasks", {name: ", ".join(tasks) for name, tasks in TASKS.items()})
        + "\n\ny is the target, s the output, p its probability.",
        _choices("Objectives", {n: each.choice for n, each in known_objectives().items()}, "", {})
        + "\n\nG is the generator, D the discriminator, E a mean; the first V is of probabilities, others of scores.",
    ]
    return "\n\n".join(part.strip() for part in parts) + "\n"


if __name__ == "__main__":
    write(document())
