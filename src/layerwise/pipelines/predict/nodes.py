"""The node that answers for the rows of a file with a trained model."""

from layerwise.data.reading import ChunkedReader
from layerwise.inference import SampledRows, StreamedPredictions, TrainedModel
from layerwise.parameters import PredictSettings


def predict_rows(model: TrainedModel, rows: ChunkedReader, settings: PredictSettings) -> StreamedPredictions:
    """Return what the model answers; it does while it is written, so that a file of any length fits into memory."""
    return StreamedPredictions(model, rows, settings.strict, settings)


def sample_rows(model: TrainedModel, settings: PredictSettings) -> SampledRows:
    """Return rows that the model draws without any to begin with."""
    return SampledRows(model, settings)
