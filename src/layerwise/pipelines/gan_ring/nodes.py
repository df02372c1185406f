"""Play games on the ring of eight normal distributions, and say what became of each."""

import logging
from typing import Any

import torch
from matplotlib.figure import Figure

from layerwise.evaluation.plots.animation import Film, film_of_points
from layerwise.evaluation.plots.gan import film_strip, scatter_grid
from layerwise.training.gan.diagnosis import DIVERSITY, FOUND_SHARE, MOVED, NET, SIGNAL, WON
from layerwise.training.gan.gaussian_ring import MODES, RingSettings, modes_found, play_on_ring, ring
from layerwise.utils.random_streams import generator_for
from layerwise.utils.run_context import report_metrics

log = logging.getLogger(__name__)
SAMPLES = 1000


def play_games(settings: RingSettings, seed: int) -> tuple[list[dict[str, Any]], Film]:
    """Play the default game on several seeds, and other games on the first of them; film the default one."""
    found: list[dict[str, Any]] = []
    film: Film = []
    real = ring(SAMPLES, generator_for(seed, "ring", "shown"))
    plan = [("default", seed + k) for k in range(settings.seeds)]
    plan += [(name, seed) for name in settings.games]
    for name, own in plan:
        played = play_on_ring(settings.with_game(name), own, name=f"ring, {name}, {own}")
        samples = played.generator.sample(SAMPLES, generator_for(own, "ring", "samples"))
        modes, share = modes_found(samples)
        found.append(
            {
                "game": name,
                "seed": own,
                "modes": modes,
                "in_modes": share,
                "verdicts": played.verdicts,
                "seconds": played.seconds,
                "last": played.history[-1],
                "samples": samples.tolist(),
            }
        )
        said = ", ".join(verdict.split(":")[0] for verdict in played.verdicts) or "nothing wrong"
        log.info("%s, seed %d: %d of %d modes, %s", name, own, modes, MODES, said)
        report_metrics({f"ring/{name.replace(', ', '_').replace(' ', '_')}/modes": float(modes)}, own)
        film = film or film_of_points(played.film, real)
    return found, film


def draw_games(games: list[dict[str, Any]], seed: int) -> Figure:
    """Draw the samples of every game over points of the ring."""
    real = ring(SAMPLES, generator_for(seed, "ring", "shown"))
    panels = {
        f"{game['game']}, seed {game['seed']}\n{game['modes']} of {MODES} modes": torch.tensor(
            game["samples"]
        )
        for game in games
    }
    return scatter_grid(panels, real, title="Games on the ring of eight")


def draw_stages(film: list[tuple[int, Any]]) -> Figure:
    """Draw the default game's samples of the same noise at stages of training."""
    return film_strip(film, title="The default game: samples of the same noise")


def write_report(games: list[dict[str, Any]]) -> str:
    """Write down what became of each game, in Markdown."""
    head = ["game", "seed", "modes found", "samples in a mode", "verdict"]
    lines = [
        [
            game["game"],
            str(game["seed"]),
            f"{game['modes']} of {MODES}",
            f"{game['in_modes']:.0%}",
            ", ".join(verdict.split(":")[0] for verdict in game["verdicts"]) or "nothing wrong",
        ]
        for game in games
    ]
    table = "\n".join("| " + " | ".join(line) + " |" for line in [head, ["---"] * len(head), *lines])
    said = "\n".join(
        f"- {game['game']}, seed {game['seed']}: {verdict}" for game in games for verdict in game["verdicts"]
    )
    return (
        "# Games on the ring of eight\n\n"
        f"{table}\n\nA mode is found when a quarter of its fair share of samples lie within three deviations of it.\n\n"
        f"## Verdicts\n\n{said or 'None.'}\n\n"
        f"The last third of the epochs is judged. Collapsed: below {FOUND_SHARE:.0%} of the modes, or samples "
        f"{DIVERSITY:g} times as far apart as real rows. Vanishing: the slope of the generator's loss by the score "
        f"below {SIGNAL:g}. Overpowered: the discriminator right about more than {WON:.0%} of rows. Oscillating: "
        f"samples of the same noise move more than {MOVED:g} spreads an epoch and end less than {NET:.0%} of that way "
        "from where they were.\n"
    )
