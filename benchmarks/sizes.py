"""What sizes by the rows are worth: each case with the sizes of large images, and with those of the rule.

    python benchmarks/sizes.py
    python benchmarks/sizes.py widths

8 x 8 pictures of scikit-learn (test error of mlp and dbn), 144 rows of its diabetes table (RMSE of sae beside a
constant), and an autoencoder beside as many principal components. Means of three seeds. `widths`: layers that have no
rule, an autoencoder's and a GAN's of a table, in several widths.
"""

from __future__ import annotations

import sys
from statistics import mean
from typing import Any

import numpy as np
import pandas as pd
import torch
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_wine
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import train_test_split

from layerwise.data import DataSpec, PreprocessingSettings, Problem, SplitSettings, TensorData, split_raw
from layerwise.data.preprocessing import fit_preprocessor, preprocess_rows
from layerwise.estimators import TabularGAN
from layerwise.evaluation.unsupervised import evaluate_reconstructions
from layerwise.parameters import DBNSettings, sizing
from layerwise.pipelines.finetuning import nodes as finetuning
from layerwise.pipelines.pretraining import nodes as pretraining
from layerwise.training.autoencoder import (
    AutoencoderSettings,
    SAESettings,
    build_autoencoder,
    train_autoencoder,
)
from layerwise.training.rbm import PretrainingSettings
from layerwise.training.supervised import FinetuningSettings, MLPSettings, fit_network
from layerwise.utils import torch_rng

SEEDS = (0, 1, 2)
KINDS = (MLPSettings, DBNSettings, SAESettings, FinetuningSettings, PretrainingSettings, AutoencoderSettings)
Parts = tuple[DataSpec, TensorData, TensorData, TensorData]


def settings(kind: type[Any], by_rule: bool, rows: int) -> Any:
    """Return the settings of a key: open for the rule, or those of large images with a batch that the rows fill."""
    if by_rule:
        return kind(**dict.fromkeys(kind.names_by_rule()))
    found = kind()
    batch = getattr(found, "batch_size", None)
    return found if batch is None else found.model_copy(update={"batch_size": min(batch, rows)})


def pictures(seed: int) -> Parts:
    """Return scikit-learn's digits, 1,293 of them for training."""
    x, y = load_digits(return_X_y=True)
    rest, test = train_test_split(np.arange(len(x)), test_size=0.2, random_state=seed, stratify=y)
    training, validation = train_test_split(rest, test_size=0.1, random_state=seed, stratify=y[rest])
    names = tuple(f"pixel {k}" for k in range(64))
    spec = DataSpec(
        task="multiclass", n_inputs=64, n_outputs=10, feature_names=names, blocks=(), target_names=("digit",),
        image_shape=(8, 8),
    )  # fmt: skip
    inputs, labels = torch.tensor(x / 16, dtype=torch.float32), torch.tensor(y)
    parts = [TensorData(inputs[at], labels[at]) for at in map(torch.as_tensor, (training, validation, test))]
    return spec, parts[0], parts[1], parts[2]


def table(bunch: Any, target: str, seed: int, rows: int) -> Parts:
    """Return a table of scikit-learn, cut to so many rows."""
    frame: pd.DataFrame = bunch.frame.sample(rows, random_state=0).reset_index(drop=True)
    frame.attrs.update(source="scikit-learn", sha256="")
    problem = Problem(name="table", task="regression", target=target, allow_leak=True)
    split = split_raw(frame, problem, SplitSettings(stratify=False), seed)
    preprocessor = fit_preprocessor(frame, split, problem, PreprocessingSettings(), seed)
    return preprocessor.data_spec, *preprocess_rows(frame, split, preprocessor)


def train(pipeline: str, parts: Parts, seed: int, by_rule: bool) -> torch.Tensor:
    """Return the outputs of test rows of a network that a pipeline's nodes train."""
    spec, training, validation, test = parts
    of = {kind: settings(kind, by_rule, len(training)) for kind in KINDS}
    learning = of[FinetuningSettings]
    if pipeline == "mlp":
        shape = sizing.size_mlp(spec, training, of[MLPSettings], learning)
        learning = sizing.size_finetuning(spec, training, training, learning)
        network = finetuning.initialize_network(training, spec, shape, learning, seed)
    else:
        size = sizing.size_pretrained_dbn if pipeline == "dbn" else sizing.size_sae
        own = of[DBNSettings if pipeline == "dbn" else SAESettings]
        shape, before = size(spec, training, training, own, learning, of[PretrainingSettings])
        learning = sizing.size_stack_finetuning(spec, training, training, learning)
        pretrain = pretraining.pretrain_rbms if pipeline == "dbn" else pretraining.pretrain_autoencoders
        stack, _ = pretrain(training, validation, spec, shape, before, seed)
        if pipeline == "dbn":
            network = finetuning.initialize_from_rbms(stack, spec, shape, learning, seed)
        else:
            network = finetuning.initialize_from_encoders(stack, spec, shape, before, learning, seed)
    fit_network(network, training, validation, spec, learning, seed, silent=True)
    with torch.no_grad():
        return network(test.inputs)


def compare_autoencoder(
    parts: Parts, seed: int, by_rule: bool, width: int | None = None
) -> tuple[float, float]:
    """Return the squared error of a test row from the latent, and from as many principal components."""
    spec, training, validation, test = parts
    given = settings(AutoencoderSettings, by_rule, len(training))
    if width is not None:
        given = given.model_copy(update={"hidden_sizes": (width,)})
    own = sizing.size_autoencoder(spec, training, given)
    network = build_autoencoder(own, spec, torch_rng(seed, "autoencoder"))
    train_autoencoder(network, training, validation, spec, own, seed, silent=True)
    found = evaluate_reconstructions(network, training.inputs, test.inputs, spec)
    return found.reconstruction["reconstruction_sse"], found.pca.reconstruction_sse


def score_gan(bunch: Any, seed: int, layers: tuple[int, ...]) -> float:
    """Return the accuracy on test rows of gradient boosting that learnt from synthetic rows."""
    frame = bunch.frame
    training, test = train_test_split(frame, test_size=0.3, random_state=seed, stratify=frame["target"])
    sizes = {"generator_sizes": layers, "discriminator_sizes": layers[::-1]}
    gan = TabularGAN("target", **sizes, random_state=seed).fit(training)
    synthetic = gan.sample(len(training), random_state=seed)
    model = HistGradientBoostingClassifier(random_state=0)
    model.fit(synthetic.drop(columns="target"), synthetic["target"])
    return float(model.score(test.drop(columns="target"), test["target"]))


def compare_widths() -> None:
    """Print a line for each width of layers that have no rule."""
    bunches = {"diabetes": load_diabetes, "wine": load_wine, "breast cancer": load_breast_cancer}
    for name, load in bunches.items():
        bunch = load(as_frame=True)
        for width in (64, 128, 256):
            parts = [table(bunch, "target", seed, len(bunch.frame)) for seed in SEEDS]
            errors = [
                compare_autoencoder(each, s, True, width)[0] for s, each in zip(SEEDS, parts, strict=True)
            ]
            print(f"{name}, autoencoder, a layer of {width}: {mean(errors):.3f}", flush=True)
    for name in ("wine", "breast cancer"):
        for layers in ((64, 64), (128, 128), (256, 512)):
            found = [score_gan(bunches[name](as_frame=True), seed, layers) for seed in SEEDS]
            print(
                f"{name}, gan, generator {layers}: accuracy from synthetic rows {mean(found):.3f}", flush=True
            )


def main() -> None:
    """Print a line for each case."""
    if sys.argv[1:] == ["widths"]:
        compare_widths()
        return
    for by_rule in (False, True):
        sizes = "by the rule" if by_rule else "of large images"
        for pipeline in ("mlp", "dbn"):
            errors = []
            for seed in SEEDS:
                parts = pictures(seed)
                wrong = train(pipeline, parts, seed, by_rule).argmax(1).ne(parts[3].targets)
                errors.append(100 * float(wrong.float().mean()))
            print(f"8 x 8 pictures, {pipeline}, sizes {sizes}: test error {mean(errors):.2f} %", flush=True)
        errors, constant = [], []
        for seed in SEEDS:
            parts = table(load_diabetes(as_frame=True), "target", seed, 200)
            spec, test = parts[0], parts[3]
            off = spec.unscaled(train("sae", parts, seed, by_rule)) - spec.unscaled(test.targets)
            errors.append(float(off.square().mean().sqrt()))
            constant.append(
                float((spec.unscaled(test.targets) - spec.target_means[0]).square().mean().sqrt())
            )
        print(
            f"144 rows of diabetes, sae, sizes {sizes}: RMSE {mean(errors):.1f}, constant {mean(constant):.1f}"
        )
        for name, bunch in (("diabetes", load_diabetes(as_frame=True)), ("wine", load_wine(as_frame=True))):
            both = [
                compare_autoencoder(table(bunch, "target", s, len(bunch.frame)), s, by_rule) for s in SEEDS
            ]
            own, components = (mean(each) for each in zip(*both, strict=True))
            print(
                f"{name}, autoencoder, sizes {sizes}: {own:.3f}, principal components {components:.3f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
