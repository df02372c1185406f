"""What a network's answers on new rows are compared with, which its model keeps."""

from torch import nn

from layerwise.data import DataSpec, TensorData
from layerwise.evaluation.unsupervised import AnomalyReference


def measure_reference(
    network: nn.Module, training: TensorData, validation: TensorData, columns: DataSpec
) -> AnomalyReference:
    """Return the anomaly scores and the errors of the validation rows, and the means of the training rows."""
    return AnomalyReference.of(network.cpu().eval(), training.inputs, validation.inputs, columns)
