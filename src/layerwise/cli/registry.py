"""Kedro's `registry`, whose list imports no pipeline."""

from __future__ import annotations

import click
from kedro.framework.cli.registry import registry as kedro_registry


@click.command("list", help=kedro_registry.commands["list"].help)
def list_pipelines() -> None:
    """Print the names; Kedro's own command would compose each pipeline first."""
    from layerwise.pipeline_registry import DEFAULT, RUNNABLE

    click.echo("".join(f"- {name}\n" for name in sorted((*RUNNABLE, DEFAULT))))


registry = click.Group(
    "registry", commands={**kedro_registry.commands, "list": list_pipelines}, help=kedro_registry.help
)
