from .animation import AnimationDataset as AnimationDataset
from .batch_evaluation import BatchEvaluationDataset as BatchEvaluationDataset
from .kept import RowsDataset as RowsDataset
from .network import NetworkDataset as NetworkDataset
from .preprocessor import PreprocessorDataset as PreprocessorDataset
from .sources import (
    EmbeddedDigits as EmbeddedDigits,
    ImageFiles as ImageFiles,
    LabelledTexts as LabelledTexts,
    RawTable as RawTable,
    SourceDocuments as SourceDocuments,
    SourceImages as SourceImages,
    SourceRatings as SourceRatings,
    SourceTable as SourceTable,
    SourceTexts as SourceTexts,
    SourceWordTable as SourceWordTable,
    VariedImages as VariedImages,
    entry_like_raw as entry_like_raw,
    kind_of_entry as kind_of_entry,
    with_origin as with_origin,
)
from .tensors import TensorsDataset as TensorsDataset
from .trained_model import (
    ChunkedReaderDataset as ChunkedReaderDataset,
    EntryRowsDataset as EntryRowsDataset,
    PredictionsDataset as PredictionsDataset,
    TableDataset as TableDataset,
    TrainedModelDataset as TrainedModelDataset,
)
from .typed import MetricsDataset as MetricsDataset, TypedDataset as TypedDataset
