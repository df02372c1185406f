from .atomic_writes import atomic_write as atomic_write
from .location import (
    Location as Location,
    MissingFileError as MissingFileError,
    StorageError as StorageError,
    address_of as address_of,
)
from .skops_files import dump_fitted as dump_fitted, load_trusted as load_trusted
