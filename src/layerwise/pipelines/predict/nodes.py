"""Ask a trained model about the rows of a file."""

from layerwise.data.reading.chunks import Incoming
from layerwise.inference.batch_predict import Predictions
from layerwise.inference.model import Trained
from layerwise.parameters.inference import PredictSettings
from layerwise.utils.run_context import report_tags


def predict_rows(model: Trained, rows: Incoming, settings: PredictSettings) -> Predictions:
    """Return the answers; they are made while they are written, so that a file of any length fits."""
    report_tags({"model.run": model.facts.run, "model.sha256": model.sha256, "predict.input": str(rows.path)})
    return Predictions(model, rows, settings.strict)
