import numpy as np

from layerwise.inference import hash_rows, load_trained_model, save_trained_model
from layerwise.inference.comparison import which_are_seen
from layerwise.inference.seen_rows import HASHED_ROWS, are_seen, load_seen_rows, save_seen_rows


def rows(n, d=5, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)


def test_a_rows_hash_is_its_own_wherever_it_stands():
    inputs = rows(HASHED_ROWS + 10)
    hashes = hash_rows(inputs)
    order = np.random.default_rng(1).permutation(len(inputs))
    np.testing.assert_array_equal(hash_rows(inputs[order]), hashes[order])
    np.testing.assert_array_equal(hash_rows(inputs[-1:]), hashes[-1:])
    np.testing.assert_array_equal(hash_rows(np.asfortranarray(inputs)), hashes)


def test_rows_that_differ_in_one_bit_or_in_the_order_of_columns_have_other_hashes():
    inputs = rows(1)
    other = inputs.copy()
    other[0, 2] = np.nextafter(other[0, 2], np.float32(9))
    assert len({*hash_rows(inputs), *hash_rows(other), *hash_rows(inputs[:, ::-1])}) == 3


def test_no_two_of_many_rows_of_zeros_and_ones_share_a_hash():
    bits = (np.arange(1 << 16)[:, None] >> np.arange(16)) & 1
    assert len(np.unique(hash_rows(bits.astype(np.float32)))) == 1 << 16


def test_minus_zero_is_zero():
    zero = np.zeros((1, 3), np.float32)
    np.testing.assert_array_equal(hash_rows(-zero), hash_rows(zero))


def test_rows_are_found_among_those_of_a_file_and_no_others(tmp_path):
    save_seen_rows(tmp_path, hash_rows(rows(100)))
    seen = load_seen_rows(tmp_path)
    assert seen.dtype == np.uint64
    assert are_seen(hash_rows(rows(100)), seen).all()
    assert not are_seen(hash_rows(rows(100, seed=1)), seen).any()
    assert not are_seen(hash_rows(rows(3)), seen[:0]).any()
    save_seen_rows(tmp_path, None)
    assert load_seen_rows(tmp_path) is None


def test_a_model_knows_its_rows_again_in_any_order_beside_others(tmp_path, tables):
    frame = tables.table()
    model = tables.saved(tmp_path, frame)
    assert model.seen_rows is None
    trained = frame.iloc[:50]
    hashes = hash_rows(model.preprocessor.inputs(model.select_inputs(trained)))
    save_trained_model(tmp_path, model.network, model.preprocessor, model.manifest, hashes)
    model = load_trained_model(tmp_path)
    assert "seen_rows.npy" in model.manifest.files
    shuffled = frame.sample(frac=1, random_state=0)
    valid = np.ones(len(frame), dtype=bool)
    np.testing.assert_array_equal(which_are_seen(model, shuffled, valid), shuffled.index < 50)
    valid[:20] = False
    found = which_are_seen(model, shuffled, valid)
    assert not found[:20].any()
    assert found[20:].sum() == (shuffled.index[20:] < 50).sum()
