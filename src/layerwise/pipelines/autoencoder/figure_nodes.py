"""Draw what an autoencoder learnt and what it is used for."""

from typing import Any

import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from layerwise.data.tensors import Description, Rows
from layerwise.evaluation import plots as figures
from layerwise.evaluation.plots.autoencoder import (
    anomaly_scores,
    imputed_columns,
    noise_table,
    rate_against_error,
)
from layerwise.evaluation.plots.rbm import hidden_activity
from layerwise.evaluation.unsupervised.compression import fit_components
from layerwise.models.autoencoder.feedforward import Autoencoder
from layerwise.models.autoencoder.passes import encoded, reconstructed
from layerwise.models.autoencoder.sequence import SequenceAutoencoder
from layerwise.models.autoencoder.variational import VAE
from layerwise.pipelines.autoencoder.downstream import damage
from layerwise.pipelines.evaluation.figure_nodes import reconstructions_at_stages
from layerwise.pipelines.views import code_map_of
from layerwise.training.autoencoder.settings import AutoencoderSettings
from layerwise.utils.random_streams import generator_for

SHOWN = 10
NO_PICTURE = "Ratings are rows of hundreds of columns: see recommendation.json."
NO_USES = "Uses are switched off (autoencoder.uses)."


def draw_learning_curves(history: dict[str, Any]) -> Figure:
    """Draw every monitored figure by epoch."""
    return figures.learning_curves({"autoencoder": history["epochs"]})


def draw_reconstructions(history: dict[str, Any], description: dict[str, Any], preparation: Any) -> Figure:
    """Draw one training row as it is reconstructed at four stages of the training."""
    if not history["stages"]:
        return figures.note(NO_PICTURE)
    return reconstructions_at_stages(history, Description(**description), preparation)


def draw_features(network: nn.Module, description: dict[str, Any]) -> Figure:
    """Draw the weights into the first layer; of pictures and tables, not of convolutions."""
    columns = Description(**description)
    if not isinstance(network, Autoencoder | VAE):
        return figures.note("Filters of 3 x 3, or of hundreds of raters, show nothing by themselves.")
    layers = network.encoder if len(network.encoder) else [network.posterior_layer]
    first = layers[0]
    assert isinstance(first, nn.Linear)
    return figures.features(
        first.weight.t().cpu(), image_shape=columns.image_shape, feature_names=columns.feature_names
    )


def draw_hidden_activity(network: nn.Module, test: Rows) -> Figure:
    """Draw the codes of test rows, and how active each unit is."""
    return hidden_activity(encoded(network, test.inputs[:2000]), title="Codes")


def draw_code_map(network: nn.Module, test: Rows, description: dict[str, Any]) -> Figure:
    """Draw the test rows' codes in the plane of most variance."""
    columns = Description(**description)
    rows = test[slice(0, 5000)]
    return code_map_of(encoded(network, rows.inputs), rows, columns)


def draw_comparison(network: nn.Module, training: Rows, test: Rows, description: dict[str, Any]) -> Figure:
    """Draw test rows beside their reconstructions from the code and from as many principal components.

    Of noise, an autoencoder that has learnt its rows makes something like a row; one that has learnt the identity
    returns the noise.
    """
    columns = Description(**description)
    if columns.image_shape is None:
        return figures.note("Rows of a table are compared in measures.json and in the reconstructions.")
    rows = test.inputs[:SHOWN]
    size = encoded(network, rows[:1]).shape[1]
    k = min(size, columns.n_inputs)
    components = fit_components(training.inputs, k)
    noise = torch.rand(rows.shape, generator=generator_for(0, "comparison"))
    lines = {
        "row": rows,
        f"code of {size}": reconstructed(network, rows),
        f"{k} components": components.decode(components.encode(rows)),
        "noise": noise,
        "its reconstruction": reconstructed(network, noise),
    }
    shown = {name: each.clamp(0, 1) for name, each in lines.items()}
    return figures.augmentations(shown, columns.image_shape, title="Test rows, noise, and what comes back")


def draw_samples(
    network: nn.Module, training: Rows, description: dict[str, Any], preparation: Any, seed: int
) -> Figure:
    """Draw rows that a variational autoencoder makes of codes drawn from the prior."""
    columns = Description(**description)
    if not isinstance(network, VAE):
        return figures.note(
            "Only a variational autoencoder has a prior to sample from (autoencoder.variant)."
        )
    generator = generator_for(seed, "samples")
    with torch.no_grad():
        if columns.image_shape:
            means = network.cpu().sample(64, generator)
            return figures.samples(
                means.clamp(0, 1), columns.image_shape, title="Means of codes drawn from the prior"
            )
        drawn = network.cpu().sample(1000, generator, draw=True)
    real = preparation.restore_inputs(training.inputs.numpy())
    return figures.marginals(real, preparation.restore_inputs(drawn.numpy()))


def draw_interpolation(network: nn.Module, test: Rows, description: dict[str, Any]) -> Figure:
    """Draw pictures on the straight line between the codes of two test rows, and between the rows themselves."""
    columns = Description(**description)
    if columns.image_shape is None:
        return figures.note("Rows of a table have no pictures in between.")
    share = torch.linspace(0, 1, SHOWN)[:, None]
    lines: dict[str, Tensor] = {}
    network = network.cpu()
    for k in range(3):
        first, second = _two_of_other_classes(test, k)
        codes = encoded(network, torch.stack([first, second]))
        with torch.no_grad():
            path = network.decode((1 - share) * codes[:1] + share * codes[1:])  # type: ignore[operator]
        lines[f"codes {k + 1}"] = path.clamp(0, 1)
        lines[f"pixels {k + 1}"] = (1 - share) * first + share * second
    return figures.augmentations(
        lines, columns.image_shape, title="In between: along codes, and along pixels"
    )


def _two_of_other_classes(test: Rows, k: int) -> tuple[Tensor, Tensor]:
    first = test.inputs[k]
    if test.targets is None:
        return first, test.inputs[-1 - k]
    other = (test.targets.reshape(-1) != test.targets.reshape(-1)[k]).nonzero()[k]
    return first, test.inputs[other[0]]


def draw_compression(compression: dict[str, Any]) -> Figure:
    """Draw size against error."""
    if not compression:
        return figures.note("A code as large as the row compresses nothing, or autoencoder.uses is false.")
    return rate_against_error(compression["curves"], compression["raw_bytes"])


def draw_denoising(
    network: nn.Module,
    test: Rows,
    denoising: dict[str, Any],
    description: dict[str, Any],
    settings: AutoencoderSettings,
    seed: int,
) -> Figure:
    """Draw damaged pictures and what the autoencoder makes of them."""
    columns = Description(**description)
    if not denoising or columns.image_shape is None:
        return figures.note("Noise is taken out of pictures (autoencoder.uses).")
    rows = test.inputs[:SHOWN]
    lines = {"row": rows}
    for kind in denoising:
        own = settings.of_variant(settings.variant)["corruption"] in (kind, "auto")
        damaged = damage(rows, kind, settings.corruption_level if own else None, seed)
        name = kind.replace("_", " ")
        lines |= {name: damaged, f"{name}, cleaned": reconstructed(network, damaged).clamp(0, 1)}
    return figures.augmentations(lines, columns.image_shape, title="\n".join(noise_table(denoising)))


def draw_anomalies(anomalies: dict[str, Any]) -> Figure:
    """Draw the scores of normal rows and of anomalies."""
    if not anomalies:
        return figures.note(NO_USES)
    return anomaly_scores(
        anomalies["scores"],
        anomalies["is_anomaly"],
        anomalies["methods"],
        anomalies["score"],
        anomalies["anomaly"],
    )


def draw_imputation(imputation: list[dict[str, Any]]) -> Figure:
    """Draw the error of filled-in cells by column."""
    if not imputation:
        return figures.note("Missing cells are filled in for tables (autoencoder.uses).")
    return imputed_columns(imputation)


def draw_sequences(
    sequences_network: SequenceAutoencoder, sequences: dict[str, Any], test: Rows, description: dict[str, Any]
) -> Figure:
    """Draw upper halves that were read, what was written again, and the lower halves that were predicted."""
    columns = Description(**description)
    if not sequences or columns.image_shape is None:
        return figures.note("Pictures are read as series of lines (autoencoder.uses).")
    height, width = columns.image_shape
    series = test.inputs[:SHOWN].reshape(-1, height, width)
    past = series[:, : height // 2]
    with torch.no_grad():
        again = sequences_network.reconstruct(past)
        ahead = sequences_network.predict(past, height - height // 2)
    grey = torch.full_like(ahead, 0.5)
    lines = {
        "row": series,
        "read": torch.cat([past, grey], 1),
        "written again": torch.cat([again, grey], 1),
        "predicted": torch.cat([past, ahead], 1),
    }
    flat = {name: each.reshape(len(each), -1) for name, each in lines.items()}
    return figures.augmentations(flat, columns.image_shape, title="Pictures as series of lines")
