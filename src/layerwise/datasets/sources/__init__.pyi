from .base import kind_of_entry as kind_of_entry
from .counts import (
    SourceDocuments as SourceDocuments,
    SourceRatings as SourceRatings,
    SourceWordTable as SourceWordTable,
)
from .image_files import ImageFiles as ImageFiles
from .images import EmbeddedDigits as EmbeddedDigits, SourceImages as SourceImages
from .labelled_texts import LabelledTexts as LabelledTexts
from .raw_table import RawTable as RawTable, entry_like_raw as entry_like_raw, with_origin as with_origin
from .table import SourceTable as SourceTable
from .texts import SourceTexts as SourceTexts
from .varied_images import VariedImages as VariedImages
