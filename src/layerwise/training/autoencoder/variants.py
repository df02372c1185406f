"""The kinds of autoencoders by name, and what each sets where the settings say nothing."""

from __future__ import annotations

from typing import Any, Literal

from layerwise.utils.config import Choice

LayerVariant = Literal["compression", "overcomplete", "sparse", "denoising", "contractive"]
Variant = Literal[
    "compression", "overcomplete", "deep", "sparse", "denoising", "contractive", "variational", "convolutional"
]  # fmt: skip

VARIANTS: dict[str, Choice] = {
    "compression": Choice("a code smaller than the row", "fewer dimensions; few columns out of many"),
    "overcomplete": Choice("a code larger than the row and nothing else", "to see it learn the identity"),
    "deep": Choice("784-1000-500-250-30 and its mirror (Hinton & Salakhutdinov 2006)", "the best small code"),
    "sparse": Choice("few active units: kl, l1 or top_k", "features that can be read"),
    "denoising": Choice("the clean row from a damaged one (Vincent et al. 2010)", "pretraining; taking noise out"),
    "contractive": Choice(
        "+ contraction |J|^2, J the encoder's Jacobian (Rifai et al. 2011)", "codes that ignore small changes"
    ),
    "variational": Choice("a latent variable model (Kingma & Welling 2014)", "likelihoods, samples, in-betweens"),
    "convolutional": Choice("3 x 3 filters, denoising (Masci et al. 2011)", "pictures"),
}  # fmt: skip

_SMOOTH = {"activation": "silu", "code_activation": "linear", "initialiser": "he_uniform"}
# What a variant sets where the settings say nothing; the rest is in `COMMON`.
OWN: dict[str, dict[str, Any]] = {
    "compression": {"hidden_sizes": (256,), **_SMOOTH},
    "overcomplete": {"code_activation": "relu", "initialiser": "he_uniform"},
    "deep": {"hidden_sizes": (1000, 500, 250), "code_size": 30, **_SMOOTH},
    "sparse": {"code_size": 256, "sparsity": "kl"},
    "denoising": {"code_size": 500, "tied": True, "corruption": "auto"},
    "contractive": {"code_size": 500, "tied": True, "contraction": 0.1},
    "variational": {"hidden_sizes": (400, 400), "code_size": 50, "activation": "tanh"},
    "convolutional": {
        "code_size": 64,
        "activation": "relu",
        "code_activation": "linear",
        "initialiser": "he_uniform",
        "corruption": "salt_and_pepper",
    },
}
COMMON: dict[str, Any] = {
    "hidden_sizes": (),
    "code_size": None,
    "activation": "sigmoid",
    "code_activation": "sigmoid",
    "decoder_activation": None,
    "tied": False,
    "initialiser": "glorot_uniform",
    "corruption": "none",
    "sparsity": "none",
    "contraction": 0.0,
}
LEVELS = {"masking": 0.25, "gaussian": 0.3, "salt_and_pepper": 0.25, "swap": 0.15, "none": 0.0}
WEIGHTS = {"kl": 0.5, "l1": 0.05, "top_k": 0.0, "none": 0.0}
