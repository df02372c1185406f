"""Small networks of three kinds for rows of four kinds, saved as MLflow has them: their weights are random."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from helpers import tables
from helpers.digits import embedded_digits
from mlflow.models import Model
from sklearn.datasets import load_wine

from layerwise.data import DataSpec, PreprocessingSettings, Problem, SplitSettings, split_raw
from layerwise.data.preprocessing import fit_preprocessor, preprocess_rows
from layerwise.data.sources import Images
from layerwise.estimators import TabularGAN
from layerwise.evaluation.likelihood import LogPartition, RBMLikelihood
from layerwise.evaluation.unsupervised import AnomalyReference
from layerwise.inference import (
    MLMODEL_SHA256,
    ModelManifest,
    ModelParts,
    TrainedModel,
    load_trained_model,
    save_trained_model,
)
from layerwise.models import MLP, MLPConfig
from layerwise.models.gan import Generator
from layerwise.models.rbm import RBM, RBMConfig, label_block
from layerwise.models.rbm.units import UnitBlock
from layerwise.tracking.logged_models import write_mlflow_model
from layerwise.training.autoencoder import AutoencoderSettings, build_autoencoder
from layerwise.utils import torch_rng

COLOR_SHAPE = (4, 3, 3)


@dataclass(frozen=True)
class SmallModel:
    """A saved model.

    Args:
        folder: as MLflow has it.
        model: as it is read from there.
        rows: some raw rows, of images with a column for each pixel.
        file: with these rows.
    """

    folder: Path
    model: TrainedModel
    rows: pd.DataFrame
    file: Path


def digits() -> tuple[Images, Problem]:
    """Forty of each embedded digit, half as high and wide."""
    pixels, labels = embedded_digits()
    chosen = np.arange(len(labels)) % 500 < 40
    small = pixels[chosen].reshape(-1, 28, 28)[:, ::2, ::2].astype(np.uint8)
    images = Images(small, labels[chosen])
    return images, Problem(name="t", task="multiclass")


def color() -> tuple[Images, Problem]:
    """Noise in three colors."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (90, *COLOR_SHAPE)).astype(np.uint8)
    return Images(pixels, np.arange(90) % 3), Problem(name="t", task="multiclass")


def wine() -> tuple[pd.DataFrame, Problem]:
    """The wine table of scikit-learn, all of whose columns are numbers."""
    return load_wine(as_frame=True).frame, Problem(name="t", task="multiclass", target="target")


def mixed() -> tuple[pd.DataFrame, Problem]:
    """Numbers, a category, booleans, a date and gaps."""
    return tables.table(), Problem(name="t", **tables.BINARY)


ROWS = {"digits": digits, "color": color, "wine": wine, "mixed": mixed}


def small_model(path: Path, rows: str, kind: str) -> SmallModel:
    """Save a network and read it.

    Args:
        path: an empty folder for it.
        rows: of `ROWS`.
        kind: mlp, rbm or autoencoder; of a table gan too, whose raw rows are categories, its conditions.
    """
    raw, problem = ROWS[rows]()
    if kind == "gan":
        return _saved(path, *_generator_of(raw, problem))
    split = split_raw(raw, problem, SplitSettings(), 0)
    preprocessor = fit_preprocessor(raw, split, problem, PreprocessingSettings(), 0)
    training, validation, _ = preprocess_rows(raw, split, preprocessor)
    columns = preprocessor.data_spec
    network, parts = network_of(kind, columns)
    if kind != "mlp":
        parts["reference"] = AnomalyReference.of(network, training.inputs, validation.inputs, columns)
    return _saved(path, network, preprocessor, ModelParts(**parts), raw)


def _saved(path: Path, network, preprocessor, parts: ModelParts, raw) -> SmallModel:
    sha256 = save_trained_model(
        path / "saved", network, preprocessor, ModelManifest(problem="t"), parts=parts
    )
    model = load_trained_model(path / "saved")
    asked, file = raw_rows(path, raw, model)
    folder = path / "mlflow"
    description = Model(metadata={MLMODEL_SHA256: sha256})
    write_mlflow_model(folder, path / "saved", asked.head(3), model, description)
    return SmallModel(folder, model, asked, file)


def _generator_of(frame: pd.DataFrame, problem: Problem):
    """Return a generator that has hardly learnt, its preprocessor and parts, and the categories of the rows."""
    small = {"generator_sizes": (16,), "discriminator_sizes": (16,), "latent_size": 8, "epochs": 1}
    rows = frame.drop(columns=list(problem.drop)).dropna()
    model = TabularGAN(problem.target, random_state=0, **small).fit(rows).model_
    conditions = [column.name for column in model.parts.encoding.categorical_columns]
    return model.network, model.preprocessor, model.parts, rows[conditions]


def network_of(kind: str, columns: DataSpec):
    """Return a network with random weights, and the parts of its model."""
    rng = torch_rng(0, "w")
    if kind == "mlp":
        sizes = {"n_inputs": columns.n_inputs, "n_outputs": columns.n_outputs}
        return MLP(MLPConfig(**sizes, hidden_sizes=(16,)), rng).eval(), {}
    if kind == "autoencoder":
        settings = AutoencoderSettings(variant="variational", hidden_sizes=(16,), latent_size=4)
        return build_autoencoder(settings, columns, rng).eval(), {}
    inputs = UnitBlock(kind="bernoulli", size=columns.n_inputs), label_block(columns.n_classes)
    n_visible = columns.n_inputs + columns.n_classes
    labelled = RBM(RBMConfig(n_visible=n_visible, n_hidden=8, visible="mixed", blocks=inputs), rng)
    log_z = LogPartition(low=4.0, high=6.0, method="ais")
    likelihood = RBMLikelihood(
        log_partition=log_z, log_probability={}, pseudo_likelihood=-1.0, is_sampled=False
    )
    parts = {"classification_rbm": labelled, "likelihood": likelihood}
    return RBM(RBMConfig(n_visible=columns.n_inputs, n_hidden=8), rng), parts


def raw_rows(path: Path, raw, model: TrainedModel) -> tuple[pd.DataFrame, Path]:
    """Return nine raw rows and the file that they are written to."""
    if isinstance(raw, Images):
        np.save(path / "rows.npy", raw.pixels[:9])
        flat = raw.pixels[:9].reshape(9, -1).astype(float)
        return pd.DataFrame(flat, columns=list(model.columns.feature_names)), path / "rows.npy"
    names = list(raw) if isinstance(model.network, Generator) else model.raw_names
    asked = raw.dropna().head(9)[names].reset_index(drop=True)
    asked.to_csv(path / "rows.csv", index=False)
    return asked, path / "rows.csv"
