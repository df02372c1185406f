"""The game for a table's rows: what its players are told, and the losses of the generator that keep rows consistent.

After Xu et al. 2019 (CTGAN), with the target told for every row, and a classifier of real rows as in CTAB-GAN
(Zhao et al. 2021).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from layerwise.data.preprocessing.table_encoding import EncodedColumn, TableEncoding
from layerwise.data.tensors import Description, Rows
from layerwise.models.gan.discriminator import Discriminator
from layerwise.models.gan.generator import Generator, GeneratorConfig
from layerwise.models.gan.outputs import OutputBlock
from layerwise.models.mlp import MLP, MLPConfig
from layerwise.training.gan.adversarial import Adversarial, Hint, Pairing, without_condition
from layerwise.training.gan.settings import GANSettings
from layerwise.training.gan.train import WATCHED, Played, discriminator_config, monitor_of, play
from layerwise.training.supervised.finetuning import finetune
from layerwise.training.supervised.settings import FinetuningSettings
from layerwise.utils.random_streams import generator_for, seed_for


def output_blocks(encoding: TableEncoding) -> tuple[OutputBlock, ...]:
    """Return the generator's outputs: a number's place and its mode, or a choice."""
    blocks: list[OutputBlock] = []
    for column in encoding.columns:
        if column.modes is not None:
            blocks.append(OutputBlock(kind="tanh", size=1))
        blocks.append(OutputBlock(kind="softmax", size=column.sizes[-1]))
    return tuple(blocks)


class Conditions:
    """What a row is told: its target, and its category in one further column drawn at random.

    A condition has the one-hot blocks of all choices side by side, zero in those that are not told.

    Args:
        encoding: of the table.
        rows: (n, width) encoded training rows.
        balanced: draw the further category by the logarithm of its frequency, and a row that has it.
    """

    def __init__(self, encoding: TableEncoding, rows: Tensor, balanced: bool) -> None:
        self.rows, self.balanced = rows, balanced
        self.choices = encoding.choices
        self.target = next((k for k, c in enumerate(self.choices) if c.name == encoding.target), None)
        self.others = [k for k in range(len(self.choices)) if k != self.target]
        starts = np.cumsum([0, *(c.stop - c.start for c in self.choices)])
        self.places = [slice(int(a), int(b)) for a, b in pairwise(starts)]
        self.n_conditions = int(starts[-1])
        self._groups = [self._by_category(k) for k in self.others]

    def _by_category(self, k: int) -> tuple[Tensor, Tensor, Tensor]:
        """Return the rows in the order of their category, where each category starts, and how many it has."""
        column = self.choices[k]
        codes = self.rows[:, column.start : column.stop].argmax(1)
        counts = torch.bincount(codes, minlength=len(column.categories))
        return codes.argsort(stable=True), counts.cumsum(0) - counts, counts

    def _balanced(self, j: int, n: int, generator: torch.Generator) -> Tensor:
        """Return the places of n rows whose category in a column is drawn by the logarithm of its frequency."""
        order, starts, counts = self._groups[j]
        codes = torch.multinomial(torch.log1p(counts.float()), n, replacement=True, generator=generator)
        shares = torch.rand(n, generator=generator, device=generator.device)
        return order[starts[codes] + (shares * counts[codes]).long().clamp_max(counts[codes] - 1)]

    def told(self, rows: Tensor, which: Tensor | None) -> Tensor:
        """Return the conditions of encoded rows (n, width), with the column `others[which]` (n,) told besides."""
        found = rows.new_zeros(len(rows), self.n_conditions)
        if self.target is not None:
            column = self.choices[self.target]
            found[:, self.places[self.target]] = rows[:, column.start : column.stop]
        if which is not None:
            for j, k in enumerate(self.others):
                column, mine = self.choices[k], which == j
                found[:, self.places[k]] = torch.where(
                    mine[:, None], rows[:, column.start : column.stop], 0.0
                )
        return found

    def _which(self, n: int, generator: torch.Generator) -> Tensor | None:
        if not self.others:
            return None
        return torch.randint(len(self.others), (n,), generator=generator, device=generator.device)

    def __call__(self, batch: Rows, generator: torch.Generator) -> tuple[Tensor, Tensor | None]:
        """Return real rows and their conditions, as many as the batch has."""
        rows, n = batch.inputs, len(batch)
        which = self._which(n, generator)
        if which is not None and self.balanced:
            rows = rows.clone()
            for j in range(len(self.others)):
                mine = (which == j).nonzero()[:, 0]
                if len(mine):
                    rows[mine] = self.rows[self._balanced(j, len(mine), generator)]
        return rows, self.told(rows, which)

    def as_they_are(self, batch: Rows, generator: torch.Generator) -> tuple[Tensor, Tensor | None]:
        """Return a batch's own rows and their conditions, for measuring rows that nothing is learnt from."""
        return batch.inputs, self.told(batch.inputs, self._which(len(batch), generator))

    def known(self, generator: torch.Generator) -> Tensor:
        """Return the conditions of all training rows as they are: what samples are drawn under."""
        return self.told(self.rows, self._which(len(self.rows), generator))


def told_is_kept(conditions: Conditions) -> Hint:
    """Return the cross-entropy of each told choice under the generator's logits: rows must be as they were told."""

    def loss(raw: Tensor, fake: Tensor, real: Tensor, condition: Tensor | None) -> Tensor:
        assert condition is not None
        total = raw.new_zeros(len(raw))
        for k, column in enumerate(conditions.choices):
            wanted = condition[:, conditions.places[k]]
            logits = raw[:, column.start : column.stop]
            total = total - (wanted * functional.log_softmax(logits, dim=1)).sum(1)
        return total

    return loss


def target_is_plausible(classifier: MLP, column: EncodedColumn, place: slice, weight: float) -> Hint:
    """Return how far a classifier of real rows finds generated rows of a target unlike real rows of that target.

    It is the squared difference of the first two moments of the classifier's probabilities. A cross-entropy, as in
    CTAB-GAN, would push every row to certainty, which real rows do not have.
    """

    def loss(raw: Tensor, fake: Tensor, real: Tensor, condition: Tensor | None) -> Tensor:
        assert condition is not None
        wanted = condition[:, place]
        made = functional.softmax(classifier(_without(fake, column)), dim=1)
        with torch.no_grad():
            seen = functional.softmax(classifier(_without(real, column)), dim=1)
        counts = wanted.sum(0).clamp_min(1)
        distance = made.new_zeros(())
        for values, others in ((made, seen), (made.square(), seen.square())):
            gap = (wanted.T @ values - wanted.T @ others) / counts[:, None]
            distance = distance + gap.square().sum()
        return weight * distance.expand(len(fake))

    return loss


def _without(rows: Tensor, column: EncodedColumn) -> Tensor:
    return torch.cat([rows[:, : column.start], rows[:, column.stop :]], dim=1)


def _sum_of(hints: Sequence[Hint]) -> Hint:
    def loss(raw: Tensor, fake: Tensor, real: Tensor, condition: Tensor | None) -> Tensor:
        return torch.stack([hint(raw, fake, real, condition) for hint in hints]).sum(0)

    return loss


def classifier_of(rows: Tensor, held_out: Tensor, column: EncodedColumn, seed: int) -> MLP:
    """Train a small classifier of the target from the other encoded columns of real rows."""
    parts = [
        Rows(_without(each, column), each[:, column.start : column.stop].argmax(1))
        for each in (rows, held_out)
    ]
    shape: dict[str, Any] = {
        "n_inputs": parts[0].inputs.shape[1],
        "n_outputs": len(column.categories),
        "hidden_sizes": (64, 32),
        "activation": "silu",
        "initialiser": "he_uniform",
        "dropout": 0.2,
    }
    network = MLP(MLPConfig(**shape), generator_for(seed, "gan", "consistency")).to(rows.device)
    settings = FinetuningSettings(
        epochs=30, batch_size=100, learning_rate=0.003, schedule="cosine", patience=8
    )
    own = seed_for(seed, "gan", "consistency")
    finetune(network, "multiclass", parts[0], parts[1], settings, own, quiet=True, name="consistency")
    return network.requires_grad_(False).eval()


def play_table(
    training: Tensor,
    validation: Tensor,
    encoding: TableEncoding,
    columns: Description,
    settings: GANSettings,
    seed: int,
) -> Played:
    """Play on encoded rows (n, width).

    Args:
        training: the rows the discriminator compares with.
        validation: rows whose value is measured, and that choose the classifier's epoch.
    """
    device = training.device
    told = Conditions(encoding, training, settings.table.balanced)
    n_conditions = told.n_conditions
    generator = Generator(
        GeneratorConfig(
            latent_size=settings.latent_size,
            n_conditions=n_conditions,
            n_outputs=encoding.width,
            hidden_sizes=settings.generator_sizes,
            activation=settings.generator_activation,
            normalisation=settings.generator_normalisation,
            output="table",
            blocks=output_blocks(encoding),
            temperature=settings.table.temperature,
        ),
        generator_for(seed, "gan", "generator"),
    )
    shape = discriminator_config(settings, columns, n_conditions, n_inputs=encoding.width)
    discriminator = Discriminator(shape, generator_for(seed, "gan", "critic"))
    hints: list[Hint] = []
    pairing: Pairing = without_condition
    if n_conditions:
        pairing = told
        hints.append(told_is_kept(told))
    if told.target is not None and settings.table.classifier_weight:
        column = told.choices[told.target]
        judge = classifier_of(training, validation, column, seed)
        hints.append(
            target_is_plausible(judge, column, told.places[told.target], settings.table.classifier_weight)
        )
    draws = generator_for(seed, "gan", "draws", device=device)
    trainee = Adversarial(
        generator.to(device),
        discriminator.to(device),
        settings,
        draws,
        pairing,
        _sum_of(hints) if hints else None,
        told.as_they_are if n_conditions else None,
    )
    known = told.known(generator_for(seed, "gan", "known", device=device)) if n_conditions else None
    monitor = monitor_of(trainee, validation, settings, seed, known=known, shown=WATCHED)
    played = play(trainee, Rows(training), Rows(validation), settings, seed, monitor=monitor)
    played.known = known
    return played
