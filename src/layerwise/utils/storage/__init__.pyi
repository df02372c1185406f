from .atomic_writes import atomic_write as atomic_write
