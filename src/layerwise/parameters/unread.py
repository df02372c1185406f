"""Settings given on the command line that nothing in the run reads."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
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


def groups_read(inputs: Iterable[str]) -> set[str]:
    """Return the top-level keys of the parameters among the inputs of nodes."""
    names = (name for name in inputs if name.startswith("params:"))
    return {name.removeprefix("params:").partition(".")[0] for name in names}


def unread_in_part(
    given: Mapping[str, Any], read: Collection[str], before: Mapping[str, Collection[str]]
) -> str:
    """Return what is wrong with the first given setting whose reader lies before the part that runs; empty for none.

    That part takes what the reader stored in an earlier run, and would not see the setting.

    Args:
        given: on the command line, by groups.
        read: the groups that the part's nodes read.
        before: the groups that each node reads whose outputs the part takes from an earlier run, by its name.
    """
    for group in OF_PIPELINES:
        readers = [node for node, groups in before.items() if group in groups]
        if group in given and group not in read and readers:
            name = next(iter(given[group]), "") if isinstance(given[group], Mapping) else ""
            return (
                f"{group}{'.' if name else ''}{name} is given, but this part of the pipeline takes what {readers[0]} "
                f"made of {group} in an earlier run; begin there (--from-nodes={readers[0]}), or take that node along "
                "with --nodes"
            )
    return ""


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
