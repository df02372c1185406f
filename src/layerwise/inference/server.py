"""The loader module that MLflow calls for a model: it reads data alone, and this package's code predicts.

`mlflow models serve` and `mlflow.pyfunc.load_model` load a model by the name of this module; the model itself holds no
code. `layerwise.inference.serving` has the project's own server.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerwise.inference.manifest import described_sha256, mlmodel_of, read_mlmodel
from layerwise.inference.model import TrainedModel, load_trained_model
from layerwise.inference.tasks import answer_rows, parse_settings

if TYPE_CHECKING:
    import pandas as pd


class ServedModel:
    """A trained network with the method that MLflow calls.

    Args:
        trained_model: the network.
    """

    def __init__(self, trained_model: TrainedModel) -> None:
        self.trained_model = trained_model

    def predict(self, model_input: Any, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """Return the answer to raw rows; a DataError names the rows that cannot be answered.

        `params` says what is asked, by the names of `TaskSettings`; without them it is the model's first task, which is
        to predict for a supervised network.

        Cells of a kind that training never had are warned of and predicted from. A request to `kedro serve`, whose
        sender sees no warning, is refused for them (`layerwise.inference.serving.request_body`).
        """
        import pandas as pd

        names = self.trained_model.columns.feature_names if self.trained_model.has_image_inputs else None
        frame = (
            model_input if isinstance(model_input, pd.DataFrame) else pd.DataFrame(model_input, columns=names)
        )
        return answer_rows(self.trained_model, frame, parse_settings(params), strict=False)


def _load_pyfunc(path: str) -> ServedModel:
    """Return the model in a folder, whose manifest is the one that MLmodel names."""
    above = mlmodel_of(Path(path))
    sha256 = described_sha256(read_mlmodel(above)) if above else ""
    return ServedModel(load_trained_model(Path(path), sha256))
