"""The variational autoencoder: a latent variable model, trained by a bound on its likelihood."""

from __future__ import annotations

from typing import Any

import torch

from layerwise.data import DataSpec
from layerwise.models.autoencoder import VAE, VAEConfig
from layerwise.training.autoencoder.building import bottleneck_size, select_output
from layerwise.training.autoencoder.plans import VariationalPlan
from layerwise.training.autoencoder.registry import AutoencoderVariant, register_variant
from layerwise.training.autoencoder.settings import AutoencoderSettings
from layerwise.utils import Choice, torch_rng


class VariationalVariant(AutoencoderVariant):
    """A normal posterior and a likelihood of fully connected layers."""

    has_features, is_generative = True, True

    def conflicts(self, settings: AutoencoderSettings, resolved: dict[str, Any]) -> list[str]:
        """Return a sentence for each setting that makes no sense with this variant."""
        conflicts = []
        if resolved["sparsity"] != "none" or resolved["contraction"]:
            conflicts.append(
                "the KL divergence already draws a variational latent to its prior; with a further penalty the "
                "bound bounds nothing: leave sparsity and contraction alone, or raise beta"
            )
        if resolved["corruption"] != "none":
            conflicts.append(
                "a variational autoencoder of corrupted rows bounds another likelihood than the one reported; leave "
                "corruption: none"
            )
        if settings.tied:
            conflicts.append("the posterior and the likelihood share no weights: leave tied alone")
        if settings.latent_activation not in (None, "linear"):
            conflicts.append("a variational latent is a normal variable: leave latent_activation alone")
        if settings.loss == "squared":
            conflicts.append("the squared error is no likelihood: take loss gaussian")
        if not isinstance(resolved["activation"], str):
            conflicts.append("a variational autoencoder has one activation for all hidden layers")
        return conflicts

    def build(self, settings: AutoencoderSettings, columns: DataSpec, rng: torch.Generator) -> VAE:
        """Return the untrained network."""
        resolved = settings.resolved(self.name)
        loss, _, blocks = select_output(settings, columns, self.name)
        return VAE(
            VAEConfig(
                n_inputs=columns.n_inputs,
                hidden_sizes=resolved["hidden_sizes"],
                latent_size=resolved["latent_size"] or bottleneck_size(columns.n_inputs),
                activation=resolved["activation"],
                loss=loss,
                blocks=blocks,
                initializer=resolved["initializer"],
            ),
            rng,
        )

    def make_plan(
        self,
        network: VAE,
        settings: AutoencoderSettings,
        columns: DataSpec,
        seed: int,
        name: str,
        device: torch.device,
    ) -> VariationalPlan:
        """Return the plan of the evidence lower bound, or of the importance-weighted one."""
        return VariationalPlan(
            network,
            settings,
            torch_rng(seed, name, "noise", device=device),
            torch_rng(seed, name, "still noise", device=device),
        )


register_variant(
    VariationalVariant(
        "variational",
        Choice("a latent variable model (Kingma & Welling 2014)", "likelihoods, samples, interpolation"),
        {"hidden_sizes": (400, 400), "latent_size": 50, "activation": "tanh"},
        {
            "channels": "; hidden_sizes shape it",
            "initializer_gain": "",
            "decoder_activation": "; one activation is that of all hidden layers",
        },
        real_loss="gaussian",
    )
)
