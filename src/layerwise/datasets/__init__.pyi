from .animation import AnimationDataset as AnimationDataset
from .image_files import ImageFiles as ImageFiles
from .network import NetworkDataset as NetworkDataset
from .preprocessor import PreprocessorDataset as PreprocessorDataset
from .raw_table import RawTable as RawTable, entry_like_raw as entry_like_raw, with_origin as with_origin
from .source_table import SourceTable as SourceTable
from .source_texts import SourceTexts as SourceTexts
from .sources import (
    EmbeddedDigits as EmbeddedDigits,
    SourceImages as SourceImages,
    kind_of_entry as kind_of_entry,
)
from .sources_counts import (
    SourceDocuments as SourceDocuments,
    SourceRatings as SourceRatings,
    SourceWordTable as SourceWordTable,
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
