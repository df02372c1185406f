"""Figure of drift: each column's distance from training, beside the marks that are called some and much."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from layerwise.evaluation.drift import MUCH, SOME, Drift
from layerwise.evaluation.plots.style import FAINT, INK, dress, headline, new_figure, shortened

MOST_COLUMNS = 30
COLOURS = {"stable": "#94a4a2", "some drift": "#ffa90e", "drift": "#bd1f01"}


def drift(
    found: Sequence[Drift], n_rows: int, *, title: str = "Drift of the new rows from training"
) -> Figure:
    """Draw a bar for each column, the farthest at the top.

    Args:
        found: one for each column.
        n_rows: new rows.
        title: of the figure.
    """
    shown = sorted(found, key=lambda each: each.psi)[-MOST_COLUMNS:]
    figure = new_figure(8.2, 1.5 + 0.32 * len(shown))
    headline(figure, title)
    axes = figure.subplots()
    longest = max([each.psi for each in shown] + [MUCH * 1.2])
    axes.barh(
        range(len(shown)), [each.psi for each in shown], color=[COLOURS[each.verdict] for each in shown]
    )
    axes.set_xlim(0, longest * 1.45)
    for at, each in enumerate(shown):
        words = f"{each.psi:.3f}" + (f"  {each.words}" if each.words else "")
        axes.text(
            each.psi + longest * 0.015, at, shortened([words], 62)[0], va="center", fontsize=8, color=INK
        )
    for mark in (SOME, MUCH):
        axes.axvline(mark, color=FAINT, linewidth=1, linestyle="--", zorder=0)
    axes.set_yticks(range(len(shown)), shortened([each.column for each in shown]))
    words = f"population stability index of {n_rows:,} new rows (dashed: some from {SOME}, much from {MUCH})"
    dress(axes, x=words, grid="x")
    axes.set_ylim(-0.6, len(shown) + 0.1)
    return figure
