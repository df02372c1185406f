"""What makes many small runs in one process quicker, and changes nothing that they do."""

import functools
import io
import pickle
from contextlib import contextmanager

import pytest
from omegaconf import OmegaConf
from PIL import Image

from layerwise.evaluation.plots.style import SinglePassFigure


@contextmanager
def files_parsed_once():
    """Have OmegaConf parse each text of a YAML file once: half of a short run's time goes into its configuration."""
    load = OmegaConf.load

    @functools.cache
    def parsed(text):
        return pickle.dumps(load(io.StringIO(text)))

    with pytest.MonkeyPatch.context() as patch:
        # Each session gets a copy of its own. Kedro hands over text; a path is left to OmegaConf.
        patch.setattr(
            OmegaConf,
            "load",
            lambda file: pickle.loads(parsed(file.read())) if isinstance(file, io.StringIO) else load(file),
        )
        yield


@contextmanager
def blank_figures():
    """Save each figure as a white PNG, for runs whose figures no test looks at: drawing takes a third of them."""

    def save(figure, file, **options):
        Image.new("RGB", (300, 300), "white").save(file, format="png")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SinglePassFigure, "savefig", save)
        yield
