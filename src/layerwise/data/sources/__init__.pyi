from .captions import CaptionConfig as CaptionConfig, Captions as Captions
from .documents import Documents as Documents, DocumentsPreprocessor as DocumentsPreprocessor
from .files import (
    SourceError as SourceError,
    SourceFile as SourceFile,
    locate as locate,
    sha256_of as sha256_of,
)
from .idx import read_idx as read_idx
from .images import Images as Images
from .ratings import Ratings as Ratings, RatingsPreprocessor as RatingsPreprocessor
