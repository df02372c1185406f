"""The composition behind the supervised pipelines, which differ in how a network starts, or what is fitted."""

from kedro.pipeline import Pipeline

from layerwise.pipelines import (
    class_samples,
    cross_validation,
    evaluation,
    finetuning,
    preprocessing,
    pretraining,
    refit,
    scikit_learn,
)
from layerwise.pipelines.facts import current_facts
from layerwise.pipelines.finetuning.pipeline import has_grid, trains_several
from layerwise.sweeping import SUPERVISED

OBJECTIVE = SUPERVISED


def compose_supervised(name: str) -> Pipeline:
    """Return the pipeline of a network, or of a model of scikit-learn, by its name."""
    return _compose_scikit_learn(name) if name in scikit_learn.FITS else compose(name, name)


def compose(name: str, key: str, problem: str = "params:problem") -> Pipeline:
    """Return preprocessing, pretraining (if any), fine-tuning, evaluation and reporting as one pipeline.

    Args:
        name: of the pipeline.
        key: of the parameters that give the network's shape: `dbn` and `sae` are pretrained without labels unless
            `pretraining.method` is none; `dbm` always is; `mlp` starts at random.
        problem: the data set from which the first node takes the problem, such as one that a node of the
            pipeline's own has checked.
    """
    facts = current_facts()
    # A network that starts from a trained one is not pretrained, and has its shape.
    is_trained = bool(facts.parameter("finetuning.init_from"))
    at_random = key == "mlp" or (key != "dbm" and facts.parameter("pretraining.method") == "none")
    pretrained = not at_random and not is_trained
    # The shape of encoders depends on how they are pretrained, even where they are not.
    sized = [key, "finetuning", *(["pretraining"] if pretrained or key == "sae" else [])]
    if is_trained:
        sized = ["finetuning"]
    several = key == "mlp" and trains_several()
    found = (
        preprocessing.create_pipeline(
            name,
            input_example=True,
            sized=sized,
            several=several,
            pretrains=pretrained,
            beside_folds=True,
            compares=pretrained and key in ("dbn", "dbm"),
            problem=problem,
        )
        + (pretraining.create_pipeline(name, key) if pretrained else Pipeline([]))
        + finetuning.create_pipeline(name, key, pretrained)
        + evaluation.create_pipeline(
            name,
            stack=key if pretrained else None,
            several=several,
            grid=key == "mlp" and has_grid(),
        )
    )
    if facts.parameter("refit"):
        found += refit.create_pipeline(name, found, sized)
    if key == "dbn" and pretrained and class_samples.has_class_samples(facts):
        found += class_samples.create_pipeline(name)
    return _with_folds_and_card(name, found)


def _compose_scikit_learn(name: str) -> Pipeline:
    found = (
        preprocessing.create_pipeline(name, input_example=True, beside_folds=True)
        + scikit_learn.create_pipeline(name)
        + evaluation.create_pipeline(name, is_network=False)
    )
    return _with_folds_and_card(name, found)


def _with_folds_and_card(name: str, found: Pipeline) -> Pipeline:
    if current_facts().parameter("split.folds"):
        found += cross_validation.create_pipeline(name, found)
    return found + evaluation.create_card(name, found)
