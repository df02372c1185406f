"""Whether generated rows of a table give away those that were learnt from: their distances, and a membership attack."""

from __future__ import annotations

from typing import Any

import numpy as np

from layerwise.evaluation.generative.sample_quality import Memorization, memorization, nearest_distance
from layerwise.evaluation.metrics import as_array, compute_metrics, rank_scores
from layerwise.utils import Config, derive_seed

# Rows of each kind that are looked at.
MOST_ROWS = 2000
RESAMPLES = 200


class MembershipAttack(Config):
    """How well training rows are told from unseen ones by the distance to the nearest generated row.

    The attacker has the generated rows alone (Hilprecht et al. 2019; Chen et al. 2020, the full black-box attack). The
    AUC of a generator that gives nothing away is 0.5.

    Args:
        auc: the probability that a training row is nearer to a generated one than an unseen row is.
        auc_low, auc_high: its 95 % interval.
        n_rows: as many training rows and unseen ones were attacked.
    """

    auc: float
    auc_low: float
    auc_high: float
    n_rows: int


class Privacy(Config):
    """What generated rows tell of the training rows.

    Args:
        memorization: distances of generated and of unseen rows to the nearest training row.
        membership: the attack.
    """

    memorization: Memorization
    membership: MembershipAttack

    def metrics(self) -> dict[str, float]:
        """Return the numbers that a run logs by name."""
        return {
            "memorization_ratio": self.memorization.ratio,
            "membership_auc": self.membership.auc,
            "membership_auc_low": self.membership.auc_low,
        }

    def __str__(self) -> str:
        attack = self.membership
        return (
            f"Distance to the nearest training row: {self.memorization.ratio:.2f} of that of unseen rows; membership "
            f"attack: AUC {attack.auc:.3f} [{attack.auc_low:.3f}, {attack.auc_high:.3f}]"
        )


def measure_privacy(training: Any, unseen: Any, generated: Any, seed: int) -> Privacy:
    """Return what generated rows (k, d) tell of the training rows (m, d), beside unseen ones (n, d)."""
    known, new, drawn = (as_array(rows).astype(np.float64) for rows in (training, unseen, generated))
    return Privacy(
        memorization=memorization(known, new[:MOST_ROWS], drawn[:MOST_ROWS]),
        membership=attack_membership(known, new, drawn, seed),
    )


def attack_membership(training: Any, unseen: Any, generated: Any, seed: int) -> MembershipAttack:
    """Attack as many training rows (m, d) as unseen ones (n, d) with generated rows (k, d).

    The training rows are sampled, since they may be in an order. Rows that repeat are as near as each other.
    """
    rng = np.random.default_rng(derive_seed(seed, "membership"))
    n = min(len(training), len(unseen), MOST_ROWS)
    attacked = [rows[np.sort(rng.choice(len(rows), n, replace=False))] for rows in (training, unseen)]
    nearness = -nearest_distance(np.concatenate(attacked), generated)
    truth = np.repeat([1.0, 0.0], n)
    auc = compute_metrics("binary", truth, rank_scores(nearness), seed=seed, n_bootstrap=RESAMPLES)["roc_auc"]
    assert auc.low is not None
    assert auc.high is not None
    return MembershipAttack(auc=auc.value, auc_low=auc.low, auc_high=auc.high, n_rows=n)
