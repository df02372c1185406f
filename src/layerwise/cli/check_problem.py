"""An environment's folder checked by the nodes that a run begins with, in memory alone."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path
from typing import Any

from kedro.framework.session import KedroSession
from kedro.io import DatasetError, MemoryDataset
from kedro.runner import SequentialRunner
from kedro.validation import DataValidationError

from layerwise.utils import UserError, nearest


class ProblemError(UserError, ValueError):
    """Something is wrong with a problem's folder; the message says what."""


def check_problem(project: Path, name: str) -> list[str]:
    """Return what is worth knowing of a problem whose rows can be read, split and preprocessed.

    Raises:
        UserError: they cannot; the message says what to change.
    """
    folder = project / "conf" / name
    if not (folder / "parameters.yml").is_file():
        known = [path.parent.name for path in (project / "conf").glob("*/parameters.yml")]
        raise ProblemError(f"there is no conf/{name}/parameters.yml{nearest(name, known)}")
    # What a run logs of itself is no news here, and what is wrong is said once.
    logging.getLogger("kedro").setLevel(logging.CRITICAL)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        session: Any = KedroSession.create(project, env=name, save_on_close=False)
        with session:
            data_spec = _preprocess(session.load_context().catalog)
    parts = f"{data_spec.n_training:,} training, {data_spec.n_validation:,} validation, {data_spec.n_test:,} test rows"
    said = [f"{data_spec.task}: {parts}; {data_spec.n_inputs:,} inputs of a network"]
    if data_spec.class_names:
        said.append(f"Classes: {', '.join(data_spec.class_names[:20])}")
    if getattr(data_spec, "positive", ""):
        said.append(f"Positive: {data_spec.positive}")
    said += [str(each.message) for each in caught if each.category is UserWarning]
    return said


def _preprocess(catalog: Any) -> Any:
    from layerwise.pipelines import preprocessing

    pipeline = preprocessing.create_pipeline("check", supervised=False, labelled=False)
    for name in pipeline.all_outputs():
        catalog[name] = MemoryDataset()
    try:
        SequentialRunner().run(pipeline, catalog)
    except (DatasetError, DataValidationError) as error:
        raise ProblemError(str(error)) from error
    return catalog.load("check.data_spec")
