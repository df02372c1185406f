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
from layerwise.data.tensors import DataSpec, TensorData
from layerwise.models.gan.discriminator import Discriminator
from layerwise.models.gan.generator import Generator, GeneratorConfig
from layerwise.models.gan.outputs import OutputBlock
from layerwise.models.mlp import MLP, MLPConfig
from layerwise.training.gan.adversarial import AdversarialPlan, AuxiliaryLoss, Conditioning, unconditional
from layerwise.training.gan.settings import GANSettings
from layerwise.training.gan.train import (
    MONITORED_SAMPLES,
    GANResult,
    build_monitor,
    discriminator_config,
    train_adversarial,
)
from layerwise.training.supervised.finetuning import finetune
from layerwise.training.supervised.settings import FinetuningSettings
from layerwise.utils.random_streams import derive_seed, torch_rng


def output_blocks(encoding: TableEncoding) -> tuple[OutputBlock, ...]:
    """Return the generator's outputs: a number's place and its mode, or a choice."""
    blocks: list[OutputBlock] = []
    for column in encoding.columns:
        if column.modes is not None:
            blocks.append(OutputBlock(kind="tanh", size=1))
        blocks.append(OutputBlock(kind="softmax", size=column.sizes[-1]))
    return tuple(blocks)


class ConditionSampler:
    """What a row is told: its target, and its category in one further column drawn at random.

    A condition has the one-hot blocks of all choices side by side, zero in those that are not told.

    Args:
        encoding: of the table.
        rows: (n, width) encoded training rows.
        log_frequency: draw the further category by the logarithm of its frequency, and a row that has it.
    """

    def __init__(self, encoding: TableEncoding, rows: Tensor, log_frequency: bool) -> None:
        self.rows, self.log_frequency = rows, log_frequency
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

    def _sample_balanced_rows(self, j: int, n: int, rng: torch.Generator) -> Tensor:
        """Return the places of n rows whose category in a column is drawn by the logarithm of its frequency."""
        order, starts, counts = self._groups[j]
        codes = torch.multinomial(torch.log1p(counts.float()), n, replacement=True, generator=rng)
        fractions = torch.rand(n, generator=rng, device=rng.device)
        return order[starts[codes] + (fractions * counts[codes]).long().clamp_max(counts[codes] - 1)]

    def condition_vectors(self, rows: Tensor, extra_column: Tensor | None) -> Tensor:
        """Return the conditions of encoded rows (n, width), with the column `others[extra_column]` (n,) told besides."""
        found = rows.new_zeros(len(rows), self.n_conditions)
        if self.target is not None:
            column = self.choices[self.target]
            found[:, self.places[self.target]] = rows[:, column.start : column.stop]
        if extra_column is not None:
            for j, k in enumerate(self.others):
                column, mine = self.choices[k], extra_column == j
                found[:, self.places[k]] = torch.where(
                    mine[:, None], rows[:, column.start : column.stop], 0.0
                )
        return found

    def _sample_column(self, n: int, rng: torch.Generator) -> Tensor | None:
        if not self.others:
            return None
        return torch.randint(len(self.others), (n,), generator=rng, device=rng.device)

    def __call__(self, batch: TensorData, rng: torch.Generator) -> tuple[Tensor, Tensor | None]:
        """Return real rows and their conditions, as many as the batch has."""
        rows, n = batch.inputs, len(batch)
        extra_column = self._sample_column(n, rng)
        if extra_column is not None and self.log_frequency:
            rows = rows.clone()
            for j in range(len(self.others)):
                mine = (extra_column == j).nonzero()[:, 0]
                if len(mine):
                    rows[mine] = self.rows[self._sample_balanced_rows(j, len(mine), rng)]
        return rows, self.condition_vectors(rows, extra_column)

    def without_resampling(self, batch: TensorData, rng: torch.Generator) -> tuple[Tensor, Tensor | None]:
        """Return a batch's own rows and their conditions, for measuring rows that nothing is learnt from."""
        return batch.inputs, self.condition_vectors(batch.inputs, self._sample_column(len(batch), rng))

    def training_conditions(self, rng: torch.Generator) -> Tensor:
        """Return the conditions of all training rows as they are: what samples are drawn under."""
        return self.condition_vectors(self.rows, self._sample_column(len(self.rows), rng))


def condition_loss(conditions: ConditionSampler) -> AuxiliaryLoss:
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


def target_consistency_loss(
    classifier: MLP, column: EncodedColumn, place: slice, weight: float
) -> AuxiliaryLoss:
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


def _sum_of(auxiliary_losses: Sequence[AuxiliaryLoss]) -> AuxiliaryLoss:
    def loss(raw: Tensor, fake: Tensor, real: Tensor, condition: Tensor | None) -> Tensor:
        return torch.stack(
            [auxiliary_loss(raw, fake, real, condition) for auxiliary_loss in auxiliary_losses]
        ).sum(0)

    return loss


def train_target_classifier(rows: Tensor, held_out: Tensor, column: EncodedColumn, seed: int) -> MLP:
    """Train a small classifier of the target from the other encoded columns of real rows."""
    parts = [
        TensorData(_without(each, column), each[:, column.start : column.stop].argmax(1))
        for each in (rows, held_out)
    ]
    shape: dict[str, Any] = {
        "n_inputs": parts[0].inputs.shape[1],
        "n_outputs": len(column.categories),
        "hidden_sizes": (64, 32),
        "activation": "silu",
        "initializer": "he_uniform",
        "dropout": 0.2,
    }
    network = MLP(MLPConfig(**shape), torch_rng(seed, "gan", "consistency")).to(rows.device)
    settings = FinetuningSettings(
        epochs=30, batch_size=100, learning_rate=0.003, schedule="cosine", patience=8
    )
    own = derive_seed(seed, "gan", "consistency")
    finetune(network, "multiclass", parts[0], parts[1], settings, own, silent=True, name="consistency")
    return network.requires_grad_(False).eval()


def train_table_gan(
    training: Tensor,
    validation: Tensor,
    encoding: TableEncoding,
    columns: DataSpec,
    settings: GANSettings,
    seed: int,
) -> GANResult:
    """Play on encoded rows (n, width).

    Args:
        training: the rows the discriminator compares with.
        validation: rows whose value is measured, and that choose the classifier's epoch.
    """
    device = training.device
    condition_sampler = ConditionSampler(encoding, training, settings.table.log_frequency)
    n_conditions = condition_sampler.n_conditions
    generator = Generator(
        GeneratorConfig(
            latent_size=settings.latent_size,
            n_conditions=n_conditions,
            n_outputs=encoding.width,
            hidden_sizes=settings.generator_sizes,
            activation=settings.generator_activation,
            normalization=settings.generator_normalization,
            output="table",
            blocks=output_blocks(encoding),
            temperature=settings.table.temperature,
        ),
        torch_rng(seed, "gan", "generator"),
    )
    shape = discriminator_config(settings, columns, n_conditions, n_inputs=encoding.width)
    discriminator = Discriminator(shape, torch_rng(seed, "gan", "critic"))
    auxiliary_losses: list[AuxiliaryLoss] = []
    conditioning: Conditioning = unconditional
    if n_conditions:
        conditioning = condition_sampler
        auxiliary_losses.append(condition_loss(condition_sampler))
    if condition_sampler.target is not None and settings.table.classifier_weight:
        column = condition_sampler.choices[condition_sampler.target]
        classifier = train_target_classifier(training, validation, column, seed)
        auxiliary_losses.append(
            target_consistency_loss(
                classifier,
                column,
                condition_sampler.places[condition_sampler.target],
                settings.table.classifier_weight,
            )
        )
    rng = torch_rng(seed, "gan", "draws", device=device)
    plan = AdversarialPlan(
        generator.to(device),
        discriminator.to(device),
        settings,
        rng,
        conditioning,
        _sum_of(auxiliary_losses) if auxiliary_losses else None,
        condition_sampler.without_resampling if n_conditions else None,
    )
    training_conditions = (
        condition_sampler.training_conditions(torch_rng(seed, "gan", "known", device=device))
        if n_conditions
        else None
    )
    monitor = build_monitor(
        plan, validation, settings, seed, training_conditions=training_conditions, n_shown=MONITORED_SAMPLES
    )
    result = train_adversarial(
        plan, TensorData(training), TensorData(validation), settings, seed, monitor=monitor
    )
    result.training_conditions = training_conditions
    return result
