"""The hyperparameters of a stack of autoencoders."""

from __future__ import annotations

from layerwise.training.autoencoder.registry import LayerVariantName
from layerwise.training.autoencoder.settings.base import BaseAutoencoderSettings
from layerwise.utils import ByRule, setting


class SAESettings(BaseAutoencoderSettings):
    """The stack of `kedro run --pipelines=sae`: every layer is an autoencoder of the latents of the one below.

    Epochs and batches are those of `pretraining`. With `pretraining.method: rbm` the stack is one of RBMs, unrolled to
    a deep autoencoder that is trained for `unrolled_epochs` more (Hinton & Salakhutdinov 2006).
    """

    variant: LayerVariantName = setting("denoising", "the kind of every layer; see Autoencoders")
    hidden_sizes: ByRule[tuple[int, ...]] = setting(
        (500, 500, 1000), "units of each layer; null: by rows and columns, see Sizes",
        "as wide as the rows or wider for images", by_rule=True, min_length=1,
    )  # fmt: skip
    corruption_levels: tuple[float, ...] = setting(
        (), "one corruption_level a layer, in place of one for all", "0.1, 0.2, 0.3 for images"
    )
    unrolled_epochs: int = setting(
        5, "epochs of the unrolled deep autoencoder as a whole", "pretraining.method: rbm", "", ge=0
    )
    unrolled_learning_rate: float = setting(1e-3, "of the unrolled autoencoder", "", "", gt=0)

    def _without_use(self) -> list[str]:
        conflicts = super()._without_use() + self.conflicts(self.variant)
        resolved = self.resolved(self.variant)
        if self.activation is not None:
            conflicts.append("each layer of a stack is a latent: set latent_activation, not activation")
        if self.decoder_activation is not None:
            conflicts.append("a layer's decoder has no hidden layers: leave decoder_activation alone")
        if self.corruption_levels:
            n_layers = len(self.hidden_sizes or self.corruption_levels)
            if len(self.corruption_levels) != n_layers:
                conflicts.append(
                    f"corruption_levels has {len(self.corruption_levels)} value(s) for {n_layers} layers"
                )
            if resolved["corruption"] == "none":
                conflicts.append("corruption none has no use for corruption_levels")
            if (
                any(not 0 <= level <= 1 for level in self.corruption_levels)
                and resolved["corruption"] != "gaussian"
            ):
                conflicts.append("corruption_levels are fractions between 0 and 1")
        if any(size < 1 for size in self.hidden_sizes or ()):
            conflicts.append("every layer needs at least 1 unit")
        if resolved["sparsity"] == "top_k":
            conflicts.append("a fine-tuned network has no top_k units; take kl or l1")
        return conflicts
