from .rule import (
    ADVERSARIAL as ADVERSARIAL,
    AUTOENCODER as AUTOENCODER,
    FINETUNING as FINETUNING,
    LEARNING as LEARNING,
    TABLE_FINETUNING as TABLE_FINETUNING,
    TABLE_LEARNING as TABLE_LEARNING,
    Extent as Extent,
    batch_and_epochs as batch_and_epochs,
    chain_learning as chain_learning,
    corruption_by_rule as corruption_by_rule,
    learning as learning,
    robust_delta as robust_delta,
)
from .settings import (
    size_autoencoder as size_autoencoder,
    size_dbn as size_dbn,
    size_gan as size_gan,
    size_mlp as size_mlp,
    size_pretrained_dbn as size_pretrained_dbn,
    size_rbm as size_rbm,
    size_sae as size_sae,
    size_several_mlps as size_several_mlps,
)
