"""Settings given on the command line that nothing in the run reads."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextvars import ContextVar
from typing import Any

from layerwise.utils import nearest

# What stands behind `--params` of a `kedro run`.
given_parameters: ContextVar[Mapping[str, Any]] = ContextVar("given_parameters", default={})  # noqa: B039
# Settings that only some pipelines read; all others go with any pipeline.
OF_PIPELINES = (
    "mlp", "dbn", "dbm", "sae", "rbm", "autoencoder", "gan", "gan_applications", "ring", "pretraining", "finetuning",
    "gradients", "predict", "evaluate",
)  # fmt: skip


def unread_setting(given: Mapping[str, Any], read: Collection[str], parameters: Mapping[str, Any]) -> str:
    """Return what is wrong with the first given setting that nothing reads, empty if there is none.

    Args:
        given: on the command line, by groups.
        read: the groups that the run's nodes read, such as `rbm`.
        parameters: the models of all of the run, in which the same setting of another group is looked for.
    """
    for group in OF_PIPELINES:
        if group not in given or group in read:
            continue
        settings = given[group] if isinstance(given[group], Mapping) else {}
        names = list(settings)
        if group == "pretraining" and "dbn" in read and settings.get("method") == "none":
            names.remove("method")  # without a node that pretrains, none is left that reads it
            if not names:
                continue
        name = names[0] if names else ""
        own = [each for each in OF_PIPELINES if each in read]
        alike = [each for each in own if name in getattr(type(parameters.get(each)), "model_fields", ())]
        meant = (
            f"; did you mean {' or '.join(f'{each}.{name}' for each in alike)}?"
            if alike
            else nearest(group, own)
        )
        groups = f"what it reads of them: {', '.join(own)}" if own else "it reads none of them"
        return (
            f"{group}{'.' if name else ''}{name} is given, and nothing in this run reads it ({groups}){meant}"
        )
    return ""
