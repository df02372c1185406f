"""Take the preprocessing of the model that training starts from: its weights find the inputs that they learnt."""

import logging
from copy import deepcopy
from typing import Any

import numpy as np

from layerwise.data import DataError, DataSpec, PreprocessingSettings, Problem, Split
from layerwise.data.preprocessing import Preprocessor, with_rows_of
from layerwise.data.sources import Images
from layerwise.inference import TrainedModel, which_are_seen

log = logging.getLogger(__name__)

# What two problems have in common where a network goes on from one to the other.
SHARED = ("task", "targets", "target_transform", "derive")


def adopt_preprocessor(
    raw: Any, split: Split, problem: Problem, settings: PreprocessingSettings, source: TrainedModel
) -> Preprocessor:
    """Return the preprocessing of a trained model, as that of these rows.

    Raises:
        DataError: the model is of another task, target or kind of rows, or was preprocessed in another way.
    """
    name, fitted = source.manifest.registered_name, source.preprocessor
    difference = _difference(raw, problem, settings, fitted)
    if difference:
        raise DataError(f"finetuning.init_from: {name} does not fit: {difference}")
    attributes = {"source": raw.source, "sha256": raw.sha256} if isinstance(raw, Images) else raw.attrs
    state = deepcopy(fitted.state)
    origin = {key: str(attributes.get(key, "")) for key in ("source", "sha256")}
    notes = [
        f"The network starts from {name}, and has its preprocessing.",
        *_seen_test_rows(raw, split, source),
    ]
    data_spec = DataSpec.model_validate(state["data_spec"] | origin | {"notes": notes})
    state["data_spec"] = data_spec.model_dump(mode="json")
    return with_rows_of(type(fitted)(state), raw, split)


def _difference(raw: Any, problem: Problem, settings: PreprocessingSettings, fitted: Any) -> str:
    if isinstance(raw, Images) != (fitted.state["kind"] == "images"):
        return "it reads a table, and these rows are images" if isinstance(raw, Images) else "it reads images"
    if isinstance(raw, Images):
        shape = tuple(raw.pixels.shape[1:])
        if shape != fitted.data_spec.image_shape:
            return f"it reads images of {fitted.data_spec.image_shape}, and these are of {shape}"
        if problem.task != fitted.data_spec.task:
            return f"its task is {fitted.data_spec.task}, and here it is {problem.task}"
    else:
        for name in SHARED:
            theirs, own = getattr(fitted.problem, name), getattr(problem, name)
            if theirs != own:
                return f"its problem.{name} is {theirs}, and here it is {own}"
    for name in type(settings).model_fields:
        theirs, own = getattr(fitted.settings, name), getattr(settings, name)
        if theirs != own:
            return f"its preprocessing.{name} is {theirs}, and here it is {own}"
    return ""


def _seen_test_rows(raw: Any, split: Split, source: TrainedModel) -> list[str]:
    """Return what is to be said of test rows that the model has learnt from: figures of them flatter."""
    if source.seen_rows is None:
        return ["Whether it has learnt from the test rows is not known."]
    rows = (
        Images(raw.pixels[split.test], raw.labels[split.test])
        if isinstance(raw, Images)
        else raw.iloc[split.test]
    )
    seen = int(which_are_seen(source, rows, np.ones(len(split.test), dtype=bool)).sum())
    if not seen:
        return []
    sentence = f"It has learnt from {seen} of the {len(split.test)} test rows: their figures flatter."
    log.warning(sentence)
    return [sentence]
