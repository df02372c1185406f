"""The settings of one RBM: its shape, its training, and what its chains decide."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import field_validator

from layerwise.models.rbm.units import VISIBLE, HiddenName
from layerwise.training.rbm.monitor import PSEUDO_LIKELIHOOD
from layerwise.training.rbm.settings import ContrastiveDivergenceSettings
from layerwise.utils import ByRule, Registered, setting


class RBMTrainingSettings(ContrastiveDivergenceSettings):
    """One RBM's shape and training."""

    n_hidden: ByRule[int] = setting(
        500, "hidden units; null: by the columns, see Sizes", "", by_rule=True, ge=1
    )
    chain: ByRule[Literal["data", "persistent", "tempered"]] = setting(
        "data",
        "where the model's statistics come from: chains that start at the batch (CD-k), persistent ones, or "
        "persistent ones at several temperatures; null: persistent for images of Bernoulli units, else data",
        "data to learn features alone",
        by_rule=True,
    )
    learning_rate: ByRule[float] = setting(
        0.1,
        "r, the size of the steps, where no unit is Gaussian; null: 0.05 of chains that last, of data 0.1",
        "0.05 to 0.1",
        by_rule=True,
        gt=0,
    )
    final_learning_rate: float | None = setting(
        None,
        "r of the last epoch, reached linearly; null: 0 of chains that last, of data r stays",
        "0 for likelihoods and samples",
        by_rule=True,
        ge=0,
    )
    final_momentum: ByRule[float] = setting(
        0.9,
        "the fraction of the last step that is kept after momentum_epochs; null: 0.5 of chains that last, of data 0.9",
        "",
        by_rule=True,
        ge=0,
        lt=1,
    )
    steps: ByRule[int] = setting(
        1,
        "k: Gibbs steps of the chains in each update; null: of documents by their number, see Sizes, else 1",
        "1 to learn features",
        by_rule=True,
        ge=1,
    )
    centered: bool | None = setting(
        None,
        "subtract the units' means in the gradient (Melchior et al. 2016); null: where there are Gaussian units or the "
        "chains last",
        "likelihoods",
        by_rule=True,
    )
    visible: Annotated[str, Registered(VISIBLE, also=("auto",))] = setting(
        "auto", "the inputs' units; auto: by the columns' kinds"
    )
    hidden: HiddenName = setting(
        "bernoulli",
        "the hidden units; nrelu: noisy rectified linear ones; gaussian: real codes of variance 1",
    )
    hidden_group_size: int = setting(
        0,
        "units of each group of which one is on; 0: no groups",
        "",
        "hidden: bernoulli, gaussian, nrelu",
        ge=0,
    )
    learn_variance: bool = setting(
        True, "Gaussian units learn their variances; else 1", "", "units that are not Gaussian"
    )
    epochs: ByRule[int] = setting(
        20, "passes over the training rows; null: by the rows, see Sizes", "100 and more for likelihoods",
        by_rule=True, ge=1,
    )  # fmt: skip
    batch_size: ByRule[int] = setting(
        100, "rows a step; null: by the rows, see Sizes", "10 to 100", by_rule=True, ge=1
    )
    gaussian_learning_rate: float = setting(
        0.03, "r where there are Gaussian units", "0.01 to 0.1", "no Gaussian units", gt=0
    )
    monitor: str | None = setting(
        None, "what chooses the epoch that is kept: validation/pseudo_likelihood; null: the last epoch"
    )
    patience: int | None = setting(
        None, "stop after so many epochs without gain in monitor; null: never", "", "monitor: null", ge=1
    )
    averaged_epochs: ByRule[float] = setting(
        0.0,
        "the fraction of the epochs, at their end, whose mean weights are kept; 0: the last weights; null: 0.2 of "
        "chains that last, of data 0",
        "0.2 for samples",
        "monitor set, ratings",
        by_rule=True,
        ge=0,
        le=1,
    )
    pseudo_likelihood_rows: int = setting(
        50, "training and validation rows whose pseudo-likelihood is computed each epoch; 0: none", "", ge=0
    )

    def _without_use(self) -> list[str]:
        wrong = super()._without_use()
        if self.averaged_epochs and self.monitor:
            wrong.append(
                f"monitor: {self.monitor} keeps one epoch's weights and has no use for averaged_epochs"
            )
        if self.changed("hidden_group_size") and self.hidden != "categorical":
            wrong.append(f"hidden: {self.hidden} has no use for hidden_group_size")
        if self.hidden == "categorical":
            size, n = self.hidden_group_size, self.n_hidden
            if size < 2 or (n is not None and n % size):
                wrong.append(
                    f"hidden: categorical takes hidden_group_size, of 2 units at least, that divides n_hidden ({n}); "
                    f"it is {size}"
                )
        return wrong

    @field_validator("monitor")
    @classmethod
    def _says_something_about_the_likelihood(cls, monitor: str | None) -> str | None:
        if monitor in (None, PSEUDO_LIKELIHOOD):
            return monitor
        assert monitor is not None
        if "reconstruction" in monitor:
            raise ValueError(
                "an RBM is not chosen by its reconstruction error, which can fall while the likelihood does too; "
                f"choose by {PSEUDO_LIKELIHOOD}"
            )
        raise ValueError(f"'{monitor}' cannot choose an epoch; known: {PSEUDO_LIKELIHOOD}")
