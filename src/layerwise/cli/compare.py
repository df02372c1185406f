"""`kedro compare`: several models on the same folds, and the best one registered."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click
from kedro.framework.cli.project import run as kedro_run

from layerwise.cli.run import run_pipeline
from layerwise.utils import UserError

if TYPE_CHECKING:
    from kedro.framework.startup import ProjectMetadata

    from layerwise.evaluation.reports import Leaderboard


@click.command()
@click.argument("name")
@click.option("--time-limit", help="No training begins that would likely end later: 10m, 90s, 1h.")
@click.option(
    "--models", help="Of linear, forest, boosting, mlp, dbn, sae, with commas between; all by default."
)
@click.option("--folds", type=click.IntRange(2, 50), help="How many; 5 unless the problem says otherwise.")
@click.pass_obj
def compare(
    metadata: ProjectMetadata,
    name: str,
    time_limit: str | None,
    models: str | None,
    folds: int | None,
    params: dict[str, Any],
) -> None:
    """Measure several models of the problem NAME on the same folds; train and register the best one.

    NAME is an environment, a folder in conf/. The standings are printed, kept as leaderboard.html, and logged as a run
    of MLflow with a run below it for each model.
    """
    from layerwise.evaluation.reports import Leaderboard
    from layerwise.utils import problem

    settings: dict[str, Any] = {}
    if time_limit is not None:
        settings["max_minutes"] = minutes(time_limit)
    if models is not None:
        settings["models"] = [each.strip() for each in models.split(",")]
    own = {"compare": (params.get("compare") or {}) | settings}
    if folds is not None:
        own["split"] = (params.get("split") or {}) | {"folds": folds}
    try:
        run_pipeline(metadata.project_path, name, "compare", params | own)
        folder = metadata.project_path / "data/08_reporting" / problem() / "compare"
        board = Leaderboard.model_validate_json((folder / "leaderboard.json").read_text())
        _print_standings(board)
        click.echo(f"The page: {folder / 'leaderboard.html'}. Now {board.winner} is trained and registered.")
        on_card = {"compare": (params.get("compare") or {}) | {"on_card": True}}
        run_pipeline(metadata.project_path, name, board.winner, params | on_card)
    except UserError as error:
        raise click.ClickException(str(error)) from None


# What `kedro run` takes as --params, compare takes too.
compare.params.append(next(each for each in kedro_run.params if each.name == "params"))


def minutes(text: str) -> float:
    """Return a time such as 10m, 90s, 1h or 10 in minutes."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smh]?)", text.strip())
    if found is None or float(found[1]) == 0:
        raise click.BadParameter(f"'{text}' is no time: 10m, 90s or 1h is", param_hint="--time-limit")
    return float(found[1]) * {"s": 1 / 60, "m": 1.0, "": 1.0, "h": 60.0}[found[2]]


def _print_standings(board: Leaderboard) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("", "model", f"{board.metric} [95 % interval]", "behind the first", "folds", "s a fold")
    for each in board.standings:
        mean = str(each.statistics[board.metric]) if board.metric in each.statistics else ""
        behind = (
            ""
            if each.behind is None
            else f"{each.behind:.4f} [{each.behind_low:.4f}, {each.behind_high:.4f}]"
        )
        done = f"{len(each.folds)} of {board.n_folds}"
        rank = "" if each.rank is None else str(each.rank)
        # Brackets are markup to rich unless they are escaped.
        cells = [
            cell.replace("[", "\\[") for cell in (rank, each.model, mean, behind, done, f"{each.seconds:.1f}")
        ]
        table.add_row(*cells)
    Console(highlight=False).print(table)
    click.echo(board.conclusion())
