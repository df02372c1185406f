from .blocks import LossName as LossName, OutputName as OutputName, build_output as build_output
from .outputs import Output as Output
from .table import OutputBlock as OutputBlock, TableOutput as TableOutput, gumbel_softmax as gumbel_softmax
