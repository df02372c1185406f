"""Train a deep Boltzmann machine: its two layers one by one, then together (Salakhutdinov & Hinton 2009)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from torch import Tensor

from layerwise.data import TensorData
from layerwise.data.transforms import make_dynamic_binarization
from layerwise.models.rbm import DBM, RBM, RBMConfig
from layerwise.training.callbacks import Callback, ReconstructionHistory
from layerwise.training.greedy import PretrainingResult, pretrain_greedily
from layerwise.training.loop import fit
from layerwise.training.plan import TrainingError
from layerwise.training.rbm.dbm.plans import DoubledContrastiveDivergence, JointTraining
from layerwise.training.rbm.dbm.settings import DBMTrainingSettings
from layerwise.training.rbm.monitor import TrainingRowsMonitor
from layerwise.training.rbm.settings import PretrainingSettings
from layerwise.training.rbm.starting import where_all_rows_lie
from layerwise.utils import torch_rng

# What pretraining with doubled weights has no use for, with the value that it takes.
REFUSED = {
    "chain": "data", "features": "probabilities", "dropout": 0.0, "init_from": None, "freeze": False,
}  # fmt: skip


def pretrain_dbm(
    dbm: DBM,
    training: TensorData,
    validation: TensorData | None,
    settings: PretrainingSettings,
    seed: int,
    dynamic_binarization: bool = False,
    silent: bool = False,
) -> PretrainingResult:
    """Train two RBMs with doubled weights, the second on the first one's features, and start the DBM from both.

    Args:
        dbm: receives the weights.
        training: inputs (n, n_visible) in [0, 1]; targets are not read.
        validation: rows that are evaluated and never learnt from.
        settings: how the two RBMs learn; `REFUSED` names what they have no use for.
        seed: of the run.
        dynamic_binarization: read each input as a probability and sample it anew for every batch of the first RBM.
        silent: report nothing.

    Raises:
        TrainingError: the rows are not in [0, 1], a setting has no use, or a metric is not finite.
    """
    refuse_other_settings(settings)
    if training.inputs.min() < 0 or training.inputs.max() > 1:
        raise TrainingError(
            "a deep Boltzmann machine has binary units: its rows lie between 0 and 1, as pixels do; take dbn for these"
        )
    bottom, top = dbm.config.hidden_sizes
    sizes = ((dbm.config.n_visible, bottom), (bottom, top))
    rbms = [
        RBM(RBMConfig(n_visible=n, n_hidden=m), torch_rng(seed, "dbm", f"layer_{k + 1}"))
        for k, (n, m) in enumerate(sizes)
    ]
    layers = _DoubledLayers([rbm.to(training.device) for rbm in rbms], settings, seed)
    result = pretrain_greedily(
        layers,
        training,
        validation,
        settings.layer_epochs(2),
        settings.batch_size,
        seed,
        dynamic_binarization,
        silent,
    )
    dbm.initialize_from_rbms(*layers.rbms)
    return result


def refuse_other_settings(settings: PretrainingSettings) -> None:
    """Raise a TrainingError where a setting of pretraining is none of a deep Boltzmann machine's."""
    wrong = [
        f"pretraining.{name}: {getattr(settings, name)}"
        for name, value in REFUSED.items()
        if getattr(settings, name) != value
    ]
    if settings.method not in ("auto", "rbm"):
        wrong.append(f"pretraining.method: {settings.method}")
    if settings.visible not in ("auto", "bernoulli"):
        wrong.append(f"pretraining.visible: {settings.visible}")
    if settings.up_down.epochs:
        wrong.append("pretraining.up_down")
    if wrong:
        raise TrainingError(
            f"a deep Boltzmann machine has no use for {', '.join(wrong)}: leave it out, or take --pipelines=dbn"
        )


@dataclass(frozen=True)
class _DoubledLayers:
    """How the two RBMs start, learn and pass features on."""

    rbms: list[RBM]
    settings: PretrainingSettings
    seed: int
    plans: list[DoubledContrastiveDivergence] = field(default_factory=list)
    metric: str = "train/reconstruction"

    def reconstruction_history(self, row: Tensor) -> ReconstructionHistory:
        units = self.rbms[0].visible_units

        def reconstruct(v: Tensor) -> tuple[Tensor, Tensor]:
            pre_activation = self.plans[0].reconstruction_pre_activation(v)
            return units.mean(pre_activation, None), units.loss(pre_activation, v)

        return ReconstructionHistory(reconstruct, row)

    def make_plan(self, layer: int, name: str, rows: TensorData) -> DoubledContrastiveDivergence:
        rbm = self.rbms[layer]
        with where_all_rows_lie(rbm, rows):
            rbm.initialize_from(rows.inputs)
        rng = torch_rng(self.seed, "pretraining", name, "states", device=rows.device)
        settings = self.settings.for_layer(layer, gaussian=False)
        twice = {"up": 2.0} if layer == 0 else {"down": 2.0}
        self.plans.append(DoubledContrastiveDivergence(rbm, settings, rng, **twice))
        return self.plans[-1]

    def callbacks(self, plan: DoubledContrastiveDivergence, rows: TensorData) -> list[Callback]:
        return [TrainingRowsMonitor(plan, rows)]

    def make_encoder(self, layer: int, name: str) -> Callable[[Tensor], Tensor]:
        return self.plans[layer].encode


def train_jointly(
    dbm: DBM,
    training: TensorData,
    validation: TensorData | None,
    settings: DBMTrainingSettings,
    batch_size: int,
    seed: int,
    dynamic_binarization: bool = False,
    silent: bool = False,
) -> tuple[list[dict[str, float]], float]:
    """Train all layers of a DBM in place, from the weights that it has.

    Args:
        dbm: the Boltzmann machine.
        training: inputs (n, n_visible) in [0, 1]; targets are not read.
        validation: rows that are evaluated and never learnt from.
        settings: epochs, rate, chains.
        batch_size: rows a step.
        seed: of the run.
        dynamic_binarization: read each input as a probability and sample it anew for every batch.
        silent: report nothing.

    Returns:
        The metrics of each epoch, and the seconds that it took.
    """
    device = training.device
    rng = torch_rng(seed, "dbm", "states", device=device)
    plan = JointTraining(dbm, settings.joint(), rng, settings.restart_every)
    progress = fit(
        plan,
        training,
        epochs=settings.epochs,
        batch_size=batch_size,
        rng=torch_rng(seed, "dbm", "order"),
        validation=validation,
        callbacks=[TrainingRowsMonitor(plan, training)],
        transform=make_dynamic_binarization(seed, device, "dbm") if dynamic_binarization else None,
        name="joint training",
        monitor="train/reconstruction",
        prefix="pretraining/joint",
        quiet=silent,
    )
    return progress.history, progress.seconds
