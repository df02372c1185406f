"""The loader module that MLflow calls for a model: it reads data alone, and this package's code predicts.

`mlflow models serve` loads a model by the name of this module; the model itself holds no code.
"""

from __future__ import annotations

import sys
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

        A caller from Python sees the warnings about cells of a kind that training never had, and gets predictions;
        a request over HTTP, whose caller sees no warning, is refused (`layerwise.inference.request_body`).
        """
        import pandas as pd

        names = self.trained_model.columns.feature_names if self.trained_model.has_image_inputs else None
        frame = (
            model_input if isinstance(model_input, pd.DataFrame) else pd.DataFrame(model_input, columns=names)
        )
        return self.trained_model.predict(frame, strict=False)


def _load_pyfunc(path: str) -> ServedModel:
    """Return the model in a folder; in MLflow's scoring server, also handle its requests."""
    model = ServedModel(load_trained_model(Path(path)))
    server: Any = sys.modules.get("mlflow.pyfunc.scoring_server")
    if server is not None and "mlflow.pyfunc.scoring_server.app" in sys.modules:
        from layerwise.inference.request_body import handle_request

        # MLflow's own responses to a wrong body hold the traceback, with paths, and it offers no setting for that.
        def invocations(data: Any, content_type: str | None, *_: Any) -> Any:
            return server.InvocationsResponse(*handle_request(model.trained_model, data, content_type))

        server.invocations = invocations
    return model
