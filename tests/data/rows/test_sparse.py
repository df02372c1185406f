import numpy as np
from scipy.sparse import csr_matrix

from layerwise.data import SparseTensorData


def test_a_word_that_is_counted_millions_of_times_is_counted_on():
    counts = np.concatenate([[2.0**24], np.ones(1000)]).astype(np.float32)
    assert float(SparseTensorData(csr_matrix(counts[:, None])).column_sums()) == 2**24 + 1000
