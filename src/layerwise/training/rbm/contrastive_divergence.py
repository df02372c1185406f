"""Contrastive divergence for a restricted Boltzmann machine, as a training plan.

CD-k (Hinton 2002, equation 5): dW = <v h>_data - <v h>_k, where the chain starts at the batch and runs k Gibbs steps.
Persistent CD (Tieleman 2008) and parallel tempering take the second term from chains of their own. Momentum and weight
decay follow Hinton's practical guide (2010, sections 9 and 10): the decay is a term of the gradient, and the weights
alone decay. Sparsity: section 11. Centred gradients: Melchior, Fischer & Wiskott (2016), section 3, with offsets that
follow the data's means. Dropout: Srivastava et al. (2014), section 8.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

import torch
from torch import Tensor

from layerwise.checkpointing import Progress
from layerwise.data import TensorData
from layerwise.models.rbm import RBM
from layerwise.models.rbm.units import LOWEST_LOG_VARIANCE
from layerwise.training.plan import CapturablePlan, Losses
from layerwise.training.rbm.chains import PersistentChains, TemperedChains
from layerwise.training.rbm.compatibility import is_centered, require_complete_rows, require_fitting_units
from layerwise.training.rbm.regularizers import dropout_mask, sparsity_push
from layerwise.training.rbm.settings import ContrastiveDivergenceSettings
from layerwise.utils import ranks

# Persistent chains need one more product to reconstruct the batch; for the metric one batch in so many is enough.
RECONSTRUCT_EVERY = 8
NEW_TENSORS = "exchanged states of tempered chains lie in new tensors"
DRAWN_WORDS = "the number of words that are drawn is the documents'"


class ContrastiveDivergence(CapturablePlan):
    """Train an RBM by the difference of the data's statistics and the model's.

    Hidden units are sampled while they drive a chain and are means where they enter a gradient or end it. Visible units
    are samples where a chain has several steps, since it is no Gibbs chain of the model otherwise, in chains of their
    own, and where variances are learnt; the one step of CD-1 takes their means (Hinton 2010, section 3).
    `sample_visible` decides otherwise. The step of size `learning_rate` is on the batch's mean gradient:
    v <- momentum v + rate (gradient - decay W), W <- W + v. Weights and biases of units that learn their variances have
    their gradient times the variance.

    Args:
        rbm: learns in place.
        settings: the learning rate, the chains and what regularises.
        rng: samples the states, on the RBM's device.

    Raises:
        UnitsError: the settings do not fit the kinds of units.
    """

    def __init__(self, rbm: RBM, settings: ContrastiveDivergenceSettings, rng: torch.Generator) -> None:
        require_fitting_units(rbm, settings)
        self.rbm, self.settings, self.rng, self.epochs = rbm, settings, rng, 1
        self.rate, self.momentum, self.steps = settings.learning_rate, settings.momentum, settings.steps
        self.weight = rbm.weight.data
        self.visible_bias = rbm.visible_bias.data
        self.hidden_bias = rbm.hidden_bias.data
        self.velocity = torch.zeros_like(self.weight)
        self.visible_velocity = torch.zeros_like(self.visible_bias)
        self.hidden_velocity = torch.zeros_like(self.hidden_bias)
        self.visible_offset = torch.zeros_like(self.visible_bias)
        self.hidden_offset = torch.zeros_like(self.hidden_bias)
        self.mean_activation = torch.full_like(self.hidden_bias, settings.sparsity_target or 0.0)
        self.variances = rbm.learned_variances()
        self.centered = is_centered(rbm, settings)
        self.has_counts = rbm.visible_units.scales_hidden_bias
        self.chains: PersistentChains | None = None
        if settings.chain == "persistent":
            self.chains = PersistentChains(rbm, settings.chains, rng, self._up, self._down)
        elif settings.chain == "tempered":
            self.chains = TemperedChains(rbm, settings.chains, rng, settings.temperatures)
        self._batches, self._reconstructs, self._offset_rate = 0, True, 1.0
        self._buffers: dict[int, tuple[Tensor, ...]] = {}
        self._weight16 = self.weight.bfloat16() if settings.bfloat16 else self.weight

    def on_train_start(self, progress: Progress) -> None:
        """Stretch what changes from epoch to epoch over all of them."""
        self.epochs = progress.epochs

    def on_epoch_start(self, epoch: int) -> None:
        """Set the epoch's momentum, and interpolate the learning rate and the number of Gibbs steps."""
        s = self.settings
        self.momentum = s.momentum if epoch <= s.momentum_epochs else s.final_momentum
        done = (epoch - 1) / max(1, self.epochs - 1)
        if s.final_learning_rate is not None:
            self.rate = s.learning_rate + done * (s.final_learning_rate - s.learning_rate)
        if s.final_steps is not None:
            self.steps = round(s.steps + done * (s.final_steps - s.steps))

    def prepare_step(self) -> Hashable:
        """Count the batch; its number says whether chains of their own reconstruct it, and where offsets start."""
        self._reconstructs = self.chains is None or self._batches % RECONSTRUCT_EVERY == 0
        self._offset_rate = self.settings.offset_rate if self._batches else 1.0
        self._batches += 1
        return self.rate, self.momentum, self.steps, self._reconstructs, self._offset_rate

    def update(self, batch: TensorData) -> Losses:
        """Update the RBM; return the reconstruction's loss per row, and which exchanges tempered chains made."""
        n = batch.inputs.shape[0]
        m = n if self.chains is None else self.chains.n
        if n not in self._buffers:
            self._buffers[n] = self._new_buffers(n, m)
        visible, hidden, states, scratch = self._buffers[n]
        start, positive = visible[:n], hidden[:n]
        start.copy_(batch.inputs)
        observation_counts = self.rbm.visible_units.observation_counts(start)
        mask = dropout_mask(self.rbm, n, self.rng)
        self._up(start, positive)
        self.rbm.hidden_units.activate_(positive, states, scratch, self.rng)
        if mask is not None:
            positive.mul_(mask)
            states.mul_(mask)
        losses: Losses = {}
        if self.chains is None:
            losses["reconstruction"] = self._chain_from(
                start, visible[n:], hidden[n:], states, scratch, observation_counts, mask
            )
        else:
            if self._reconstructs:
                losses["reconstruction"] = self.rbm.visible_units.loss(
                    self.rbm.visible_pre_activation(states), start
                )
            if not self.chains.started:
                require_complete_rows(self.rbm, start, self.settings)
                lengths = observation_counts if self.has_counts else None
                self.chains.start(ranks.gather_rows(states), lengths)
            with ranks.whole_batches():  # every rank has all chains
                self.chains.advance(visible[n:], hidden[n:], self.steps)
            losses |= self.chains.metrics()
        self._update(visible, hidden, n, m, mask)
        return losses

    def generators(self) -> Sequence[torch.Generator]:
        """Return the generator of the states."""
        return [self.rng]

    def reason_against_capture(self) -> str:
        """Return why these settings' updates can't be captured; empty when they can."""
        tempered = self.settings.chain == "tempered"
        return NEW_TENSORS if tempered else DRAWN_WORDS if self.has_counts else ""

    def reason_against_ranks(self) -> str:
        """Return why the rows of a batch can't be spread; empty when they can."""
        return DRAWN_WORDS if self.has_counts else ""

    def _chain_from(
        self,
        start: Tensor,
        end: Tensor,
        negative: Tensor,
        states: Tensor,
        scratch: Tensor,
        observation_counts: Tensor | None,
        mask: Tensor | None,
    ) -> Tensor:
        """Run k Gibbs steps from the batch's hidden states; return the first reconstruction's loss."""
        units, hidden_units = self.rbm.visible_units, self.rbm.hidden_units
        sample = self.settings.sample_visible
        if sample is None:
            sample = self.steps > 1 or bool(self.variances)
        first = None
        for step in range(self.steps):
            self._down(states, end)
            if first is None:
                first = units.loss(end, start)
            units.mean_(end, observation_counts)
            if sample:
                end.copy_(units.sample(end, self.rng))
            self._up(end, negative)
            if step + 1 < self.steps:
                hidden_units.activate_(negative, states, scratch, self.rng)
            else:
                hidden_units.mean_(negative)
            if mask is not None:
                negative.mul_(mask)
                states.mul_(mask)
        assert first is not None
        return first

    def _up(self, v: Tensor, out: Tensor) -> Tensor:
        if self.settings.bfloat16:
            return out.copy_(v.bfloat16() @ self._weight16).add_(self.hidden_bias)
        return self.rbm.hidden_pre_activation(v, out)

    def _down(self, h: Tensor, out: Tensor) -> Tensor:
        if self.settings.bfloat16:
            return out.copy_(h.bfloat16() @ self._weight16.t()).add_(self.visible_bias)
        return torch.addmm(self.visible_bias, h, self.weight.t(), out=out)

    def _update(self, visible: Tensor, hidden: Tensor, n: int, m: int, mask: Tensor | None) -> None:
        scale, s = self.rate / ranks.whole_batch(n), self.settings
        # A unit of learnt variance has its gradient times the variance: as in a natural gradient, a step then moves its
        # mean as far whatever its noise. Without it, the smaller a variance is, the sooner its weights explode.
        v, ratio = visible, n / m if self.chains is None else ranks.whole_batch(n) / (m * ranks.world_size())
        if self.variances:
            self._update_variances(visible, hidden, n)
        # Read before centring, which changes both in place.
        push = sparsity_push(s, self.rate, self.mean_activation, v[:n], hidden[:n], mask)
        visible_change = v[:n].sum(0).sub_(v[n:].sum(0), alpha=ratio)
        # Both outer products at once: the chains' end enters with a minus sign, in one product of depth n + m.
        hidden[n:].mul_(-ratio)
        hidden_change = hidden.sum(0)
        if self.has_counts:
            # A document moves a hidden bias by its length; over the mean length, lest the units saturate at once.
            lengths = visible.sum(1)
            hidden_change = (lengths / lengths[:n].mean()) @ hidden
        if self.centered:
            v, hidden = self._center(v, hidden, n, ratio)
            visible_change -= v.t() @ (hidden @ self.hidden_offset)
            # Hidden units see a visible unit over its variance, and so its offset.
            scaled_offset = self.rbm.visible_units.scaled(self.visible_offset[None])[0]
            hidden_change -= (v @ scaled_offset) @ hidden
        momentum = self.momentum / ranks.world_size()  # the ranks' velocities are added up
        if s.bfloat16:
            self.velocity.mul_(momentum).add_(v.bfloat16().t() @ hidden.bfloat16(), alpha=scale)
        else:
            self.velocity.addmm_(v.t(), hidden, beta=momentum, alpha=scale)
        self.visible_velocity.mul_(momentum).add_(visible_change, alpha=scale)
        self.hidden_velocity.mul_(momentum).add_(hidden_change, alpha=scale)
        ranks.all_reduce([self.velocity, self.visible_velocity, self.hidden_velocity])
        if push is not None:
            mean_visible, hidden_push = push
            self.velocity.addr_(mean_visible, hidden_push)
            self.hidden_velocity.add_(hidden_push)
        if s.weight_decay:
            self.velocity.add_(self.weight, alpha=-self.rate * s.weight_decay)
        self.weight.add_(self.velocity)
        self.visible_bias.add_(self.visible_velocity)
        self.hidden_bias.add_(self.hidden_velocity)
        if s.bfloat16:
            self._weight16.copy_(self.weight)

    def _center(self, v: Tensor, hidden: Tensor, n: int, ratio: float) -> tuple[Tensor, Tensor]:
        """Subtract the offsets, which follow the data's means; the model's rows already carry their minus sign."""
        self.visible_offset.lerp_(ranks.batch_mean(v[:n]), self._offset_rate)
        self.hidden_offset.lerp_(ranks.batch_mean(hidden[:n]), self._offset_rate)
        hidden[:n].sub_(self.hidden_offset)
        hidden[n:].add_(self.hidden_offset, alpha=ratio)
        return v.sub_(self.visible_offset), hidden

    def _update_variances(self, visible: Tensor, hidden: Tensor, n: int) -> None:
        for units, columns in self.variances:
            y = hidden @ self.weight[columns].t()
            gradient = units.log_variance_gradient(visible[:, columns], self.visible_bias[columns], y)
            change = ranks.batch_mean(gradient[:n]) - ranks.batch_mean(gradient[n:])
            units.log_variance.add_(change, alpha=self.rate * self.settings.variance_rate_factor)
            units.log_variance.clamp_min_(LOWEST_LOG_VARIANCE)

    def _new_buffers(self, n: int, m: int) -> tuple[Tensor, ...]:
        shape, like = self.rbm.config, self.weight
        visible = like.new_empty(n + m, shape.n_visible)
        hidden = like.new_empty(n + m, shape.n_hidden)
        return visible, hidden, like.new_empty(n, shape.n_hidden), like.new_empty(n, shape.n_hidden)

    def validation_step(self, batch: TensorData) -> Losses:
        """Return the mean-field reconstruction's loss and the free energy per row."""
        x = self.rbm.visible_pre_activation(self.rbm.hidden_mean(batch.inputs))
        return {
            "reconstruction": self.rbm.visible_units.loss(x, batch.inputs),
            "free_energy": self.rbm.free_energy(batch.inputs),
        }

    def state_dict(self) -> dict[str, Tensor]:
        """Return copies of everything that learning changes, with the chains and the random generator's state."""
        state = {name: value.clone() for name, value in self._tensors().items()}
        if self.chains is not None:
            state["chains"] = self.chains.hidden.clone()
            if self.has_counts:
                state["chain_lengths"] = self.chains.lengths.clone()
        batches = torch.tensor(self._batches)
        epoch = torch.tensor([self.rate, self.momentum, self.steps], dtype=torch.float64)
        return state | {"rng": self.rng.get_state(), "batches": batches, "rate_momentum_steps": epoch}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go back to a state that `state_dict()` returned."""
        for name, value in self._tensors().items():
            value.copy_(state[name])
        if self.chains is not None:
            self.chains.hidden = state["chains"].clone()
            if self.has_counts:
                self.chains.lengths = state["chain_lengths"].clone()
        self._batches = int(state["batches"])
        self.rate, self.momentum, steps = state["rate_momentum_steps"].tolist()
        self.steps = int(steps)
        self.rng.set_state(state["rng"])
        if self.settings.bfloat16:
            self._weight16.copy_(self.weight)

    def _tensors(self) -> dict[str, Tensor]:
        names = ("weight", "visible_bias", "hidden_bias", "velocity", "visible_velocity", "hidden_velocity")
        tensors: dict[str, Tensor] = {name: getattr(self, name) for name in names}
        if self.centered:
            tensors |= {"visible_offset": self.visible_offset, "hidden_offset": self.hidden_offset}
        if self.settings.sparsity_target is not None:
            tensors["mean_activation"] = self.mean_activation
        return tensors | {
            f"log_variance_{k}": units.log_variance for k, (units, _) in enumerate(self.variances)
        }
