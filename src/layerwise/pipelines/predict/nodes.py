"""The node that answers for the rows of a file with a trained model."""

from layerwise.data.reading import ChunkedReader, document_rows
from layerwise.inference import StreamedPredictions, TrainedModel, WholeAnswer
from layerwise.inference.tasks import find_task
from layerwise.parameters import PredictSettings
from layerwise.pipelines.predict.unusual_rows import UnusualRowSearch


def predict_rows(
    model: TrainedModel, rows: ChunkedReader, settings: PredictSettings
) -> StreamedPredictions | WholeAnswer:
    """Return what the model answers; it does while it is written, so that a file of any length fits into memory.

    A task that does not answer each row by itself reads them all at once.
    """
    if not find_task(model, settings).answers_each_row:
        return WholeAnswer(model, settings, rows)
    if model.columns.task == "documents":
        rows = document_rows(rows, model.preprocessor)
    return StreamedPredictions(model, rows, settings.strict, settings)


def detect_anomalies(
    model: TrainedModel, rows: ChunkedReader, settings: PredictSettings
) -> tuple[StreamedPredictions, UnusualRowSearch]:
    """Return the anomaly scores, made while they are written, and the most unusual rows, which are known then."""
    search = UnusualRowSearch(model, rows, settings)
    return search.predictions, search


def sample_rows(model: TrainedModel, settings: PredictSettings) -> WholeAnswer:
    """Return rows that the model draws without any to begin with."""
    return WholeAnswer(model, settings)
