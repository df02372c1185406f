"""Play an adversarial game on pictures or on a table's rows, and sample from its generator."""

import logging
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from layerwise.data.errors import DataError
from layerwise.data.preprocessing.table_encoding import TableEncoding, decode
from layerwise.data.problem import PreparationSettings, Problem
from layerwise.data.splits import Split
from layerwise.data.tensors import Description, Rows
from layerwise.evaluation.plots.animation import Film, film_of_pictures
from layerwise.models.gan.discriminator import Discriminator
from layerwise.models.gan.generator import Generator
from layerwise.models.mlp import MLP
from layerwise.pipelines.gan.tables import play_on_table
from layerwise.pipelines.preprocessing.nodes import UNLABELLED
from layerwise.training.gan.feature_classifier import train_classifier as train
from layerwise.training.gan.settings import GANSettings
from layerwise.training.gan.train import Played, draw_known, play_pictures
from layerwise.utils.devices import best_device
from layerwise.utils.random_streams import generator_for
from layerwise.utils.run_context import report_metrics, report_tags

log = logging.getLogger(__name__)
# Rows that are written where no number of them is asked for.
EXAMPLES = 10


def train_classifier(
    training: Rows, validation: Rows, description: dict[str, Any], settings: GANSettings, seed: int
) -> tuple[MLP, dict[str, Any]]:
    """Train the classifier whose features and classes the samples are judged by, and say how good it is."""
    columns, device = Description(**description), best_device()
    if columns.task in (*UNLABELLED, "multilabel") or training.targets is None:
        raise DataError(f"gan is for pictures and tables with one target, and the task is {columns.task}")
    epochs = settings.classifier_epochs
    network, error = train(training.to(device), validation.to(device), columns, seed, epochs)
    log.info("The classifier that judges samples: error %.4f on the validation rows", error)
    report_metrics({"classifier/validation/error": error})
    return network, {"validation_error": error}


def train_gan(
    raw: Any,
    split: dict[str, list[int]],
    training: Rows,
    validation: Rows,
    description: dict[str, Any],
    classifier: MLP,
    problem: Problem,
    preparing: PreparationSettings,
    settings: GANSettings,
    seed: int,
) -> tuple[Generator, Discriminator, dict[str, Any], Film, Rows, dict[str, Any]]:
    """Play the game; a verdict in words is logged for each thing that went wrong."""
    columns, device = Description(**description), best_device()
    if columns.image_shape is None:
        played, film, encoding = play_on_table(
            raw, Split.from_dict(split), columns, problem, preparing, settings, seed
        )
    else:
        played = play_pictures(
            training.to(device), validation.to(device), columns, settings, seed, classifier
        )
        film = film_of_pictures(played.film, columns.image_shape)
        words = played.captions
        encoding = {} if words is None else {"captions": words.config.model_dump(mode="json")}
    say_how_it_went(played)
    known = torch.zeros(1, 0) if played.known is None else played.known.cpu()
    history = {"epochs": played.history, "verdicts": played.verdicts, "seconds": played.seconds}
    return played.generator.cpu(), played.discriminator.cpu(), history, film, Rows(known), encoding


def say_how_it_went(played: Played) -> None:
    """Log and tag the verdicts."""
    for verdict in played.verdicts:
        log.warning("The game is %s", verdict)
    names = [verdict.split(":")[0] for verdict in played.verdicts]
    report_tags({"gan.verdicts": ", ".join(names) or "none"})


def sample(generator: Generator, known: Tensor, n: int, seed: int, consumer: str) -> Tensor:
    """Return n rows on the CPU under conditions drawn from the known ones; nothing in the generator changes."""
    draws = generator_for(seed, "gan", consumer)
    condition = draw_known(known, n, draws) if known.shape[1] else None
    return generator.sample(n, draws, condition)


def synthesize(
    generator: Generator,
    conditions: Rows,
    encoding: dict[str, Any],
    preparation: Any,
    description: dict[str, Any],
    n: int | None,
    seed: int,
) -> pd.DataFrame:
    """Return `synthesize` generated rows in the original columns and types; a few as an example by default."""
    columns, n = Description(**description), n or EXAMPLES
    rows = sample(generator, conditions.inputs, n, seed, "synthesize").numpy()
    log.info("%d generated rows are in data/07_model_output/<problem>/gan/synthetic.csv", n)
    if columns.image_shape is None:
        return decode(rows, TableEncoding(**encoding))
    pixels = preparation.restore_inputs(rows).reshape(n, -1)
    return pd.DataFrame(pixels, columns=list(columns.feature_names))
