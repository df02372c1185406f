"""The node that predicts the rows of a file with a trained model."""

from layerwise.data.reading import ChunkedReader
from layerwise.inference import StreamedPredictions, TrainedModel
from layerwise.parameters import PredictSettings
from layerwise.utils import report_tags


def predict_rows(model: TrainedModel, rows: ChunkedReader, settings: PredictSettings) -> StreamedPredictions:
    """Return the predictions; they are made while they are written, so that a file of any length fits into memory."""
    report_tags(
        {"model.run": model.manifest.run_id, "model.sha256": model.sha256, "predict.input": str(rows.path)}
    )
    return StreamedPredictions(model, rows, settings.strict)
