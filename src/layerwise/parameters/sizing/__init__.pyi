from .learning import (
    LEARNING as LEARNING,
    TABLE_LEARNING as TABLE_LEARNING,
    chain_learning as chain_learning,
    corruption_by_rule as corruption_by_rule,
    learning as learning,
    robust_delta as robust_delta,
)
from .rule import (
    AUTOENCODER as AUTOENCODER,
    FINETUNING as FINETUNING,
    Extent as Extent,
)
from .settings import (
    size_autoencoder as size_autoencoder,
    size_dbm as size_dbm,
    size_dbn as size_dbn,
    size_finetuning as size_finetuning,
    size_gan as size_gan,
    size_mlp as size_mlp,
    size_pretrained_dbn as size_pretrained_dbn,
    size_rbm as size_rbm,
    size_sae as size_sae,
    size_several_mlps as size_several_mlps,
    size_stack_finetuning as size_stack_finetuning,
)
