from .captions import CaptionConfig as CaptionConfig, Captions as Captions
from .documents import Documents as Documents, DocumentsPreprocessor as DocumentsPreprocessor
from .files import (
    SourceError as SourceError,
    SourceFile as SourceFile,
    locate as locate,
    locate_folder as locate_folder,
    parquet_parts as parquet_parts,
    sha256_of as sha256_of,
    sha256_once as sha256_once,
)
from .idx import idx_shape as idx_shape, read_idx as read_idx
from .image_arrays import (
    LABEL_NAMES as LABEL_NAMES,
    LabelledArrays as LabelledArrays,
    read_image_arrays as read_image_arrays,
    read_label_array as read_label_array,
)
from .image_channels import (
    ChannelsError as ChannelsError,
    gray_images as gray_images,
    images_of_arrays as images_of_arrays,
)
from .images import (
    ChannelsName as ChannelsName,
    ColorName as ColorName,
    ImageForm as ImageForm,
    ImageReading as ImageReading,
    Images as Images,
    ImageSize as ImageSize,
    image_form as image_form,
    validate_pixel_range as validate_pixel_range,
)
from .pictures import (
    PART_FOLDERS as PART_FOLDERS,
    Pictures as Pictures,
    have_colors as have_colors,
    labels_in_names as labels_in_names,
    list_pictures as list_pictures,
    picture_sizes as picture_sizes,
    read_pictures as read_pictures,
    shown_names as shown_names,
)
from .rating_files import (
    find_rating_columns as find_rating_columns,
    read_rating_lines as read_rating_lines,
    read_ratings as read_ratings,
    read_titles as read_titles,
)
from .rating_lines import RatingLines as RatingLines
from .ratings import Ratings as Ratings, RatingsPreprocessor as RatingsPreprocessor
from .texts import (
    LABEL as LABEL,
    OFFICIAL_TEST as OFFICIAL_TEST,
    TEXT as TEXT,
    CountSettings as CountSettings,
    LabelledTextFolder as LabelledTextFolder,
    Texts as Texts,
    count_words as count_words,
    decode_text as decode_text,
    fit_vocabulary as fit_vocabulary,
    holds_texts as holds_texts,
    read_labelled_texts as read_labelled_texts,
    read_text_folder as read_text_folder,
)
