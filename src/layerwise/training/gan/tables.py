"""A GAN of table rows: conditional vectors, and the generator's losses that keep rows consistent.

After Xu et al. 2019 (CTGAN), with every row conditional on its target too, and a classifier of real rows as in
CTAB-GAN (Zhao et al. 2021).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from layerwise.data import DataSpec, TensorData
from layerwise.data.preprocessing import EncodedColumn, TableEncoding
from layerwise.models import MLP, MLPConfig
from layerwise.models.gan import Discriminator, Generator, GeneratorConfig
from layerwise.models.heads import OutputBlock
from layerwise.training.gan.adversarial import AdversarialPlan, AuxiliaryLoss
from layerwise.training.gan.conditioning import unconditional
from layerwise.training.gan.monitor import SampleDistance
from layerwise.training.gan.settings import GANSettings
from layerwise.training.gan.train import (
    MONITORED_SAMPLES,
    GANResult,
    build_monitor,
    discriminator_config,
    train_adversarial,
)
from layerwise.training.supervised import ClassifierSettings, train_classifier
from layerwise.utils import derive_seed, torch_rng


def output_blocks(encoding: TableEncoding) -> tuple[OutputBlock, ...]:
    """Return the generator's outputs: a number's value within its mode and the mode, or a category."""
    blocks: list[OutputBlock] = []
    for column in encoding.columns:
        if column.modes is not None:
            blocks.append(OutputBlock(kind="tanh", size=1))
        blocks.append(OutputBlock(kind="softmax", size=column.sizes[-1]))
    return tuple(blocks)


class ConditionSampler:
    """Samples what a row is conditional on: its target, and its category in one further column.

    A condition has the one-hot blocks of all categorical columns side by side, zero in those it does not fix.

    Args:
        encoding: of the table.
        rows: (n, width) encoded training rows.
        log_frequency: sample the further category by its log-frequency, and then a row that has it.
    """

    reason_against_ranks = "the conditions of a table's rows are drawn for a whole batch"

    def __init__(self, encoding: TableEncoding, rows: Tensor, log_frequency: bool) -> None:
        self.rows, self.log_frequency = rows, log_frequency
        self.categorical_columns = encoding.categorical_columns
        self.target = next(
            (k for k, c in enumerate(self.categorical_columns) if c.name == encoding.target), None
        )
        self.others = [k for k in range(len(self.categorical_columns)) if k != self.target]
        starts = np.cumsum([0, *(c.stop - c.start for c in self.categorical_columns)])
        # Where each column's block stands in a condition.
        self.slices = [slice(int(a), int(b)) for a, b in pairwise(starts)]
        self.n_conditions = int(starts[-1])
        self._groups = [self._by_category(k) for k in self.others]
        if log_frequency and self.others:
            self.reason_against_capture = "how many rows each column's condition takes is drawn anew"

    def _by_category(self, k: int) -> tuple[Tensor, Tensor, Tensor]:
        """Return the rows' positions sorted by category, where each category starts, and its number of rows."""
        column = self.categorical_columns[k]
        codes = self.rows[:, column.start : column.stop].argmax(1)
        counts = torch.bincount(codes, minlength=len(column.categories))
        return codes.argsort(stable=True), counts.cumsum(0) - counts, counts

    def _sample_balanced_rows(self, j: int, n: int, rng: torch.Generator) -> Tensor:
        """Return the positions of n rows, their category in the column `others[j]` sampled by its log-frequency."""
        order, starts, counts = self._groups[j]
        codes = torch.multinomial(torch.log1p(counts.float()), n, replacement=True, generator=rng)
        fractions = torch.rand(n, generator=rng, device=rng.device)
        return order[starts[codes] + (fractions * counts[codes]).long().clamp_max(counts[codes] - 1)]

    def condition_vectors(self, rows: Tensor, extra_column: Tensor | None) -> Tensor:
        """Return the conditions (n, n_conditions) of encoded rows (n, width).

        Args:
            rows: whose target and categories the conditions are.
            extra_column: (n,) which of `others` each row is conditional on besides its target; None for none.
        """
        found = rows.new_zeros(len(rows), self.n_conditions)
        if self.target is not None:
            column = self.categorical_columns[self.target]
            found[:, self.slices[self.target]] = rows[:, column.start : column.stop]
        if extra_column is not None:
            for j, k in enumerate(self.others):
                column, selected = self.categorical_columns[k], extra_column == j
                found[:, self.slices[k]] = torch.where(
                    selected[:, None], rows[:, column.start : column.stop], 0.0
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
                selected = (extra_column == j).nonzero()[:, 0]
                if len(selected):
                    rows[selected] = self.rows[self._sample_balanced_rows(j, len(selected), rng)]
        return rows, self.condition_vectors(rows, extra_column)

    def without_resampling(self, batch: TensorData, rng: torch.Generator) -> tuple[Tensor, Tensor | None]:
        """Return a batch's own rows and their conditions: for validation rows."""
        return batch.inputs, self.condition_vectors(batch.inputs, self._sample_column(len(batch), rng))

    def training_conditions(self, rng: torch.Generator) -> Tensor:
        """Return the conditions of all training rows, without resampling: those of samples are drawn from them."""
        return self.condition_vectors(self.rows, self._sample_column(len(self.rows), rng))


def condition_loss(condition_sampler: ConditionSampler) -> AuxiliaryLoss:
    """Return the cross-entropy of the condition's categories under the generator's logits (CTGAN, section 4.3)."""

    def loss(pre_activation: Tensor, fake: Tensor, real: Tensor, condition: Tensor | None) -> Tensor:
        assert condition is not None
        total = pre_activation.new_zeros(len(pre_activation))
        for k, column in enumerate(condition_sampler.categorical_columns):
            one_hot = condition[:, condition_sampler.slices[k]]
            logits = pre_activation[:, column.start : column.stop]
            total = total - (one_hot * functional.log_softmax(logits, dim=1)).sum(1)
        return total

    return loss


def target_consistency_loss(
    classifier: MLP, column: EncodedColumn, target_slice: slice, weight: float
) -> AuxiliaryLoss:
    """Return the distance of generated from real rows of each target, in the eyes of a classifier of real rows.

    It is the squared difference of the first two moments of the classifier's probabilities. A cross-entropy,
    as in CTAB-GAN, would push every row to certainty, which real rows do not have.

    Args:
        classifier: of the target, from the other encoded columns.
        column: the target.
        target_slice: where the target stands in a condition.
        weight: of the loss.
    """

    def loss(pre_activation: Tensor, fake: Tensor, real: Tensor, condition: Tensor | None) -> Tensor:
        assert condition is not None
        targets = condition[:, target_slice]
        fake_probabilities = functional.softmax(classifier(_without(fake, column)), dim=1)
        with torch.no_grad():
            real_probabilities = functional.softmax(classifier(_without(real, column)), dim=1)
        counts = targets.sum(0).clamp_min(1)
        distance = fake_probabilities.new_zeros(())
        for power in (1, 2):
            fake_moment, real_moment = fake_probabilities**power, real_probabilities**power
            gap = (targets.T @ fake_moment - targets.T @ real_moment) / counts[:, None]
            distance = distance + gap.square().sum()
        return weight * distance.expand(len(fake))

    return loss


def _without(rows: Tensor, column: EncodedColumn) -> Tensor:
    return torch.cat([rows[:, : column.start], rows[:, column.stop :]], dim=1)


def _sum_of(auxiliary_losses: Sequence[AuxiliaryLoss]) -> AuxiliaryLoss:
    def loss(pre_activation: Tensor, fake: Tensor, real: Tensor, condition: Tensor | None) -> Tensor:
        terms = [term(pre_activation, fake, real, condition) for term in auxiliary_losses]
        return torch.stack(terms).sum(0)

    return loss


def train_target_classifier(rows: Tensor, validation: Tensor, column: EncodedColumn, seed: int) -> MLP:
    """Train a small classifier of the target from the other encoded columns of real rows."""
    parts = [
        TensorData(_without(each, column), each[:, column.start : column.stop].argmax(1))
        for each in (rows, validation)
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
    settings = ClassifierSettings(
        epochs=30, batch_size=100, learning_rate=0.003, schedule="cosine", patience=8
    )
    own_seed = derive_seed(seed, "gan", "consistency")
    train_classifier(network, "multiclass", parts[0], parts[1], settings, own_seed, name="consistency")
    return network.requires_grad_(False).eval()


def train_table_gan(
    training: Tensor,
    validation: Tensor,
    encoding: TableEncoding,
    columns: DataSpec,
    settings: GANSettings,
    seed: int,
    *,
    silent: bool = False,
    distance: SampleDistance | None = None,
) -> GANResult:
    """Train a GAN on encoded rows (n, width).

    Args:
        training: real rows for the discriminator.
        validation: rows for the validation metrics, and for the early stopping of the target classifier.
        encoding: of the table's columns.
        columns: the data spec of the problem.
        settings: of the networks and their training.
        seed: of every random stream.
        silent: report nothing.
        distance: of samples from validation rows, measured after each epoch.
    """
    device = training.device
    condition_sampler = ConditionSampler(encoding, training, settings.table.log_frequency)
    n_conditions = condition_sampler.n_conditions
    generator = _table_generator(settings, encoding, n_conditions, torch_rng(seed, "gan", "generator"))
    shape = discriminator_config(settings, columns, n_conditions, n_inputs=encoding.width)
    discriminator = Discriminator(shape, torch_rng(seed, "gan", "critic"))
    plan = AdversarialPlan(
        generator.to(device),
        discriminator.to(device),
        settings,
        torch_rng(seed, "gan", "draws", device=device),
        condition_sampler if n_conditions else unconditional,
        _auxiliary_loss(condition_sampler, training, validation, settings, seed),
        condition_sampler.without_resampling if n_conditions else None,
    )
    known = torch_rng(seed, "gan", "known", device=device)
    training_conditions = condition_sampler.training_conditions(known) if n_conditions else None
    monitor = build_monitor(
        plan,
        validation,
        settings,
        seed,
        training_conditions=training_conditions,
        distance=distance,
        n_shown=MONITORED_SAMPLES,
    )
    result = train_adversarial(
        plan, TensorData(training), TensorData(validation), seed, monitor=monitor, silent=silent
    )
    result.training_conditions = training_conditions
    return result


def _table_generator(
    settings: GANSettings, encoding: TableEncoding, n_conditions: int, rng: torch.Generator
) -> Generator:
    shape = GeneratorConfig(
        latent_size=settings.latent_size,
        n_conditions=n_conditions,
        n_outputs=encoding.width,
        hidden_sizes=settings.generator_sizes,
        activation=settings.generator_activation,
        normalization=settings.generator_normalization,
        output="table",
        blocks=output_blocks(encoding),
        temperature=settings.table.temperature,
    )
    return Generator(shape, rng)


def _auxiliary_loss(
    sampler: ConditionSampler, training: Tensor, validation: Tensor, settings: GANSettings, seed: int
) -> AuxiliaryLoss | None:
    """Return the sum of the generator's further losses: of its conditions, and of its rows' targets."""
    terms: list[AuxiliaryLoss] = [condition_loss(sampler)] if sampler.n_conditions else []
    if sampler.target is not None and settings.table.classifier_weight:
        column, target_slice = sampler.categorical_columns[sampler.target], sampler.slices[sampler.target]
        classifier = train_target_classifier(training, validation, column, seed)
        weight = settings.table.classifier_weight
        terms.append(target_consistency_loss(classifier, column, target_slice, weight))
    return _sum_of(terms) if terms else None
