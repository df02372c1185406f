from .dense import TensorData as TensorData
from .host import HostTensorData as HostTensorData, rows_for_training as rows_for_training
from .sparse import SparseTensorData as SparseTensorData
