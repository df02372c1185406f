"""The autoencoder variants by name, and the defaults of each."""

from __future__ import annotations

from typing import Any, Literal

from layerwise.utils import Choice

LayerVariant = Literal["compression", "overcomplete", "sparse", "denoising", "contractive"]
Variant = Literal[
    "compression", "overcomplete", "deep", "sparse", "denoising", "contractive", "variational", "convolutional"
]  # fmt: skip

VARIANTS: dict[str, Choice] = {
    "compression": Choice("a latent smaller than the row", "fewer dimensions; few columns out of many"),
    "overcomplete": Choice("a latent larger than the row and nothing else", "to see it learn the identity"),
    "deep": Choice("784-1000-500-250-30 and its mirror (Hinton & Salakhutdinov 2006)", "the best small latent"),
    "sparse": Choice("few active units: kl, l1 or top_k", "features that can be read"),
    "denoising": Choice("the clean row from a corrupted one (Vincent et al. 2010)", "pretraining; denoising"),
    "contractive": Choice(
        "+ contraction |J|^2, J the encoder's Jacobian (Rifai et al. 2011)", "latents that ignore small changes"
    ),
    "variational": Choice(
        "a latent variable model (Kingma & Welling 2014)", "likelihoods, samples, interpolation"
    ),
    "convolutional": Choice("3 x 3 filters, denoising (Masci et al. 2011)", "images"),
}  # fmt: skip

_SMOOTH = {"activation": "silu", "latent_activation": "linear", "initializer": "he_uniform"}
# A variant's defaults for settings that are null; those of every variant are in `COMMON_DEFAULTS`.
VARIANT_DEFAULTS: dict[str, dict[str, Any]] = {
    "compression": {"hidden_sizes": (256,), **_SMOOTH},
    "overcomplete": {"latent_activation": "relu", "initializer": "he_uniform"},
    "deep": {"hidden_sizes": (1000, 500, 250), "latent_size": 30, **_SMOOTH},
    "sparse": {"latent_size": 256, "sparsity": "kl"},
    "denoising": {"latent_size": 500, "tied": True, "corruption": "auto"},
    "contractive": {"latent_size": 500, "tied": True, "contraction": 0.1},
    "variational": {"hidden_sizes": (400, 400), "latent_size": 50, "activation": "tanh"},
    "convolutional": {
        "latent_size": 64,
        "activation": "relu",
        "latent_activation": "linear",
        "initializer": "he_uniform",
        "corruption": "salt_and_pepper",
    },
}
COMMON_DEFAULTS: dict[str, Any] = {
    "hidden_sizes": (),
    "latent_size": None,
    "activation": "sigmoid",
    "latent_activation": "sigmoid",
    "decoder_activation": None,
    "tied": False,
    "initializer": "glorot_uniform",
    "corruption": "none",
    "sparsity": "none",
    "contraction": 0.0,
}
DEFAULT_CORRUPTION_LEVELS = {
    "masking": 0.25,
    "gaussian": 0.3,
    "salt_and_pepper": 0.25,
    "swap": 0.15,
    "none": 0.0,
}
DEFAULT_SPARSITY_WEIGHTS = {"kl": 0.5, "l1": 0.05, "top_k": 0.0, "none": 0.0}
