"""Fill in the sizes that the settings leave to the rows, and refuse what the rows cannot serve.

All training waits for them, so that hours of it never end at a batch that is too large.
"""

import logging
from typing import TypeVar

from layerwise.data import DataSpec, SparseTensorData, TensorData, validate_batch_size
from layerwise.models.rbm.units import HIDDEN
from layerwise.parameters.networks import DBMSettings, DBNSettings, RBMSettings
from layerwise.parameters.sizing.learning import (
    GAN_LEARNING,
    autoencoder_learning,
    chain_learning,
    count_learning,
    gan_network,
    learning,
    robust_delta,
)
from layerwise.parameters.sizing.rule import (
    ADVERSARIAL,
    AVERAGED_EPOCHS,
    CONVOLUTIONAL_ADVERSARIAL,
    CONVOLUTIONAL_GAN_BATCH,
    JOINT,
    LASTING_CHAINS,
    Extent,
)
from layerwise.training.autoencoder import AutoencoderSettings, SAESettings
from layerwise.training.gan import GANSettings
from layerwise.training.rbm import PretrainingSettings
from layerwise.training.supervised import FinetuningSettings, MLPSettings
from layerwise.utils import Config

log = logging.getLogger(__name__)

Rows = TensorData | SparseTensorData
Network = TypeVar("Network", bound=Config)
StackSizes = tuple[Network, PretrainingSettings]


def size_mlp(
    columns: DataSpec, training: Rows, mlp: MLPSettings, finetuning: FinetuningSettings
) -> MLPSettings:
    """Return the settings of a feed-forward network with the values that the rows decide.

    Args:
        columns: of the preprocessed rows.
        training: the rows.
        mlp: the network's settings.
        finetuning: how it is to learn; dropped connections leave it one network.
    """
    extent = Extent.of(columns, len(training))
    return _filled(
        "mlp",
        mlp,
        hidden_sizes=extent.hidden_sizes,
        number_embedding="piecewise_linear" if mlp.changed("number_bins") else extent.number_embedding,
        ensemble_members=1 if finetuning.dropconnect else extent.ensemble_members,
    )


def size_several_mlps(
    columns: DataSpec, training: Rows, mlp: MLPSettings, finetuning: FinetuningSettings
) -> MLPSettings:
    """Return the settings of networks that train at once, each of which is a plain one."""
    plain = mlp.filled({"number_embedding": "none", "ensemble_members": 1})
    return size_mlp(columns, training, plain, finetuning)


def size_dbn(columns: DataSpec, training: Rows, dbn: DBNSettings) -> DBNSettings:
    """Return the settings of a DBN's network."""
    return _filled("dbn", dbn, hidden_sizes=Extent.of(columns, len(training)).stack_sizes)


def size_pretrained_dbn(
    columns: DataSpec,
    training: Rows,
    labelled: TensorData,
    dbn: DBNSettings,
    finetuning: FinetuningSettings,
    pretraining: PretrainingSettings,
) -> StackSizes[DBNSettings]:
    """Return the settings of a DBN and of its pretraining.

    What fine-tuning could not take is refused before hours of pretraining, which waits for the labelled rows.
    """
    _refuse_large_batches(training, finetuning, pretraining)
    return size_dbn(columns, training, dbn), _pretraining(columns, training, pretraining)


def size_dbm(
    columns: DataSpec,
    training: Rows,
    labelled: TensorData,
    dbm: DBMSettings,
    finetuning: FinetuningSettings,
    pretraining: PretrainingSettings,
) -> StackSizes[DBMSettings]:
    """Return the settings of a deep Boltzmann machine and of its pretraining, as `size_pretrained_dbn` does."""
    _refuse_large_batches(training, finetuning, pretraining)
    extent, layers = Extent.of(columns, len(training)), _pretraining(columns, training, pretraining)
    sizes = extent.stack_sizes
    sized = _filled(
        "dbm", dbm, hidden_sizes=(sizes[0], sizes[-1]), epochs=extent.epochs(JOINT, layers.batch_size)
    )
    return sized, layers


def size_sae(
    columns: DataSpec,
    training: Rows,
    labelled: TensorData,
    sae: SAESettings,
    finetuning: FinetuningSettings,
    pretraining: PretrainingSettings,
) -> StackSizes[SAESettings]:
    """Return the settings of a stack of autoencoders and of its pretraining, as `size_pretrained_dbn` does."""
    _refuse_large_batches(training, finetuning, pretraining)
    sized = _filled("sae", sae, hidden_sizes=Extent.of(columns, len(training)).stack_sizes)
    return sized, _pretraining(columns, training, pretraining)


def size_finetuning(
    columns: DataSpec, training: Rows, labelled: TensorData, finetuning: FinetuningSettings
) -> FinetuningSettings:
    """Return the fine-tuning's settings of a network that no stack was before."""
    return _finetuning(columns, training, labelled, finetuning, table=not columns.image_shape)


def size_stack_finetuning(
    columns: DataSpec, training: Rows, labelled: TensorData, finetuning: FinetuningSettings
) -> FinetuningSettings:
    """Return the fine-tuning's settings of a network that was a stack."""
    return _finetuning(columns, training, labelled, finetuning, table=False)


def size_rbm(columns: DataSpec, training: Rows, rbm: RBMSettings) -> RBMSettings:
    """Return the settings of an RBM."""
    extent = Extent.of(columns, len(training))
    _refuse_large_batch(rbm.batch_size, training, "rbm")
    chain = rbm.chain or ("persistent" if _has_lasting_chains(columns, rbm) else "data")
    bounds = extent.pretraining if chain == "data" else LASTING_CHAINS
    by_chain = chain_learning(chain, rbm.learning_rate, HIDDEN.find(rbm.hidden).real) | {"steps": 1}
    if extent.kind == "documents" and chain == "data":
        by_chain |= count_learning(len(training))
        if rbm.sample_visible is None:
            rbm = rbm.model_copy(update={"sample_visible": True})
            log.info("By the rows: rbm.sample_visible true")
    values = extent.batch_and_epochs(bounds, rbm.batch_size) | by_chain
    keeps_best = rbm.monitor or extent.kind == "ratings"
    values["averaged_epochs"] = 0.0 if chain == "data" or keeps_best else AVERAGED_EPOCHS
    return _filled("rbm", rbm, n_hidden=extent.rbm_units, chain=chain, **values)


def _has_lasting_chains(columns: DataSpec, rbm: RBMSettings) -> bool:
    """Return whether the rows are images of binary units, and nothing that is set needs chains from the rows."""
    binary = rbm.visible in ("auto", "bernoulli") and rbm.hidden == "bernoulli"
    return bool(columns.image_shape) and binary and not rbm.dropout and rbm.sample_visible is None


def size_autoencoder(
    columns: DataSpec, training: Rows, autoencoder: AutoencoderSettings
) -> AutoencoderSettings:
    """Return the settings of an autoencoder."""
    _refuse_large_batch(autoencoder.batch_size, training, "autoencoder")
    extent = Extent.of(columns, len(training))
    values = extent.batch_and_epochs(extent.autoencoder, autoencoder.batch_size)
    batch, epochs = (getattr(autoencoder, name) or values[name] for name in ("batch_size", "epochs"))
    steps = epochs * -(-len(training) // batch)
    given = {name: getattr(autoencoder, name) for name in ("optimizer", "learning_rate", "weight_decay")}
    values |= autoencoder_learning(autoencoder.variant, extent, steps, given)
    return _filled("autoencoder", autoencoder, **values)


def size_gan(columns: DataSpec, training: Rows, gan: GANSettings) -> GANSettings:
    """Return the settings of a GAN; a batch has whole packs of rows."""
    extent = Extent.of(columns, len(training))
    _refuse_large_batch(gan.batch_size, training, "gan")
    uses_dense = gan.pac > 1 or gan.changed("generator_sizes") or gan.changed("discriminator_sizes")
    network = gan.network or gan_network(columns.image_shape, uses_dense)
    most = CONVOLUTIONAL_GAN_BATCH if network == "dcgan" else extent.batch
    batch = gan.batch_size or max(min(extent.batch, most) // gan.pac, 1) * gan.pac
    # Batch normalization has no use for a row alone.
    while gan.batch_size is None and batch < len(training) and len(training) % batch == 1:
        batch += gan.pac
    bounds = CONVOLUTIONAL_ADVERSARIAL if network == "dcgan" else ADVERSARIAL
    # Only adam with R1 was seen to be steady at a convolutional pair's high rates.
    steady = gan.r1 > 0 and gan.optimizer == "adam"
    rates = {} if steady else {name: value for name, value in GAN_LEARNING["mlp"].items() if "rate" in name}
    values = GAN_LEARNING[network] | rates | {"batch_size": batch, "epochs": extent.epochs(bounds, batch)}
    return _filled("gan", gan, network=network, **values)


def _finetuning(
    columns: DataSpec,
    training: Rows,
    labelled: TensorData,
    settings: FinetuningSettings,
    table: bool,
) -> FinetuningSettings:
    log.info("%s training rows, %s of them labelled", f"{len(training):,}", f"{len(labelled):,}")
    _refuse_large_batches(training, settings)
    extent = Extent.of(columns, len(training))
    bounds = extent.ensemble_finetuning if table else extent.finetuning
    values = extent.batch_and_epochs(bounds, settings.batch_size)
    values |= learning(table, settings.optimizer, settings.weight_decay)
    if columns.task == "regression" and settings.loss == "auto" and labelled.targets is not None:
        settings = _robust(settings, robust_delta(labelled.targets))
    return _filled("finetuning", settings, **values)


def _robust(settings: FinetuningSettings, delta: float | None) -> FinetuningSettings:
    if delta is None:
        return settings
    log.warning(
        "A few targets lie absurdly far from all others: finetuning.loss is huber, for which they count by their size "
        "alone; correct or leave out their rows if they are mistakes, or set finetuning.loss: squared"
    )
    return settings.model_copy(update={"loss": "huber", "huber_delta": delta})


def _pretraining(columns: DataSpec, training: Rows, settings: PretrainingSettings) -> PretrainingSettings:
    extent = Extent.of(columns, len(training))
    values = extent.batch_and_epochs(extent.pretraining, settings.batch_size)
    return _filled("pretraining", settings, **values)


def _refuse_large_batches(
    training: Rows, finetuning: FinetuningSettings, pretraining: PretrainingSettings | None = None
) -> None:
    if finetuning.batch_size != "all":
        _refuse_large_batch(finetuning.batch_size, training, "finetuning")
    if pretraining is not None:
        _refuse_large_batch(pretraining.batch_size, training, "pretraining")


def _refuse_large_batch(batch_size: int | None, training: Rows, key: str) -> None:
    if batch_size is not None:
        validate_batch_size(batch_size, len(training), f"{key}.batch_size")


def _filled(key: str, settings: Network, **values: object) -> Network:
    """Return the settings with these values where they are null, and say them."""
    found = {name: values[name] for name in settings.left_to_rule if values[name] is not None}
    if found:
        said = ", ".join(f"{key}.{name} {_plain(value)}" for name, value in found.items())
        log.info("By the rows: %s", said)
    return settings.filled(values)


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value
