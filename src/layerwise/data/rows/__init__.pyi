from .dense import TensorData as TensorData
from .sparse import SparseTensorData as SparseTensorData
