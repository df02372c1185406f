"""The loader module that MLflow calls for a model: it reads data alone, and this package's code predicts.

`mlflow models serve` and `mlflow.pyfunc.load_model` load a model by the name of this module; the model itself holds no
code. `layerwise.inference.app` is the project's own server.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerwise.inference.model import TrainedModel, load_trained_model

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
        """Return the predictions of raw rows; a DataError names the rows that cannot be predicted.

        Cells of a kind that training never had are warned of and predicted from. A request to `kedro serve`, whose
        sender sees no warning, is refused for them (`layerwise.inference.request_body`).
        """
        import pandas as pd

        names = self.trained_model.columns.feature_names if self.trained_model.has_image_inputs else None
        frame = (
            model_input if isinstance(model_input, pd.DataFrame) else pd.DataFrame(model_input, columns=names)
        )
        return self.trained_model.predict(frame, strict=False)


def _load_pyfunc(path: str) -> ServedModel:
    """Return the model in a folder."""
    return ServedModel(load_trained_model(Path(path)))
