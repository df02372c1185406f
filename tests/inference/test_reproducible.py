import io
import json
import threading
import time
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from helpers import tables
from torch import nn

from layerwise.data import PreprocessingSettings, Problem, SplitSettings, split_raw
from layerwise.data.preprocessing import fit_preprocessor
from layerwise.data.reading import ChunkedReader
from layerwise.data.sources import Images
from layerwise.inference import (
    BLOCK_ROWS,
    StreamedPredictions,
    apply_in_blocks,
    evaluate_chunks,
    reproducible,
)
from layerwise.inference.reproducible import (
    COPIED_ROWS,
    MANY_ROWS,
    AlignedProducts,
    InBlocks,
    decimal_texts,
    shortest_decimals,
)
from layerwise.inference.server import ServedModel
from layerwise.inference.serving import handle_request
from layerwise.models import MLP, MLPConfig
from layerwise.models.layers import ACTIVATIONS
from layerwise.utils import torch_rng

SIZES = [((), 1), ((50,), 3), ((50,), 1), ((100, 37), 2), ((64, 64), 1), ((117, 29), 11), ((500,), 10)]
CONFIGS = [
    *({"n_inputs": 13, "hidden_sizes": (50, 37), "n_outputs": 3, "activation": name} for name in ACTIVATIONS),
    *({"n_inputs": n, "hidden_sizes": h, "n_outputs": m} for n in (1, 5, 117, 784) for h, m in SIZES),
    *(
        {"n_inputs": 29, "hidden_sizes": (50, 11), "n_outputs": 2, "activation": "relu", **more}
        for more in (
            {"normalization": "batch"},
            {"normalization": "layer"},
            {"dropconnect": 0.3, "dropout": 0.5},
            {"output": "exponential"},
        )
    ),
]


def network_of(config):
    network = MLP(MLPConfig(**config), torch_rng(0, "weights")).eval()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d):
            module.running_mean.copy_(torch.linspace(-1, 1, module.num_features))
    return network


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_a_row_has_the_same_bits_at_every_position_with_one_thread_and_two(config):
    network = network_of(config)
    rng = torch_rng(0, "rows")
    row = torch.randn(1, config["n_inputs"], generator=rng)

    def scores(block):
        outputs = network(block)
        return torch.cat([outputs, outputs.softmax(1), outputs.sigmoid()], 1)

    alone = apply_in_blocks(scores, row)
    before = torch.get_num_threads()
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            everywhere = apply_in_blocks(scores, row.expand(BLOCK_ROWS, -1))
            assert torch.equal(everywhere, alone.expand(BLOCK_ROWS, -1))
            for position in range(0, BLOCK_ROWS, 11):
                others = torch.randn(BLOCK_ROWS, config["n_inputs"], generator=rng)
                others[position] = row
                assert torch.equal(apply_in_blocks(scores, others)[position : position + 1], alone), position
    finally:
        torch.set_num_threads(before)
    torch.testing.assert_close(alone, scores(row).detach())


@pytest.mark.parametrize("n", [0, 1, BLOCK_ROWS - 1, BLOCK_ROWS, BLOCK_ROWS + 1, 3 * BLOCK_ROWS + 7])
def test_blocks_give_a_result_for_each_row_in_their_order(n):
    sizes = []

    def twice(block):
        sizes.append(len(block))
        return 2 * block

    inputs = torch.arange(3.0 * n).reshape(n, 3)
    assert torch.equal(apply_in_blocks(twice, inputs), 2 * inputs)
    assert set(sizes) == {BLOCK_ROWS}


@pytest.fixture
def threads():
    """Set how many threads torch has, for this test."""
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


@pytest.mark.parametrize("n_threads", [1, 2, 3])
@pytest.mark.parametrize("config", CONFIGS[:14:6] + CONFIGS[-4:], ids=str)
def test_many_rows_have_the_bits_of_few_with_any_number_of_threads(config, n_threads, threads):
    network, n = network_of(config), 9 * COPIED_ROWS // 2 + 5
    inputs = torch.randn(n, config["n_inputs"], generator=torch_rng(0, "rows"))
    parts = [apply_in_blocks(network, inputs[start : start + 1000]) for start in range(0, n, 1000)]
    threads(n_threads)
    assert torch.equal(apply_in_blocks(network, inputs), torch.cat(parts))


@pytest.mark.parametrize("n_columns", [3, 200])
def test_threads_share_the_blocks_each_of_which_one_computes(n_columns, threads):
    seen = set()

    def twice(block):
        seen.add((len(block), torch.get_num_threads(), torch.is_grad_enabled()))
        return 2 * block

    threads(2)
    inputs = torch.arange(4.0 * COPIED_ROWS + 1)[:, None].expand(-1, n_columns)
    assert torch.equal(apply_in_blocks(twice, inputs), 2 * inputs)
    assert torch.get_num_threads() == 2
    assert seen == {(BLOCK_ROWS, 1, False)} | ({(MANY_ROWS, 1, False)} if n_columns == 3 else set())


def test_larger_blocks_are_left_where_they_give_other_bits():
    sizes = []

    def like_a_kernel(block):
        sizes.append(len(block))
        return block * (1 + 1e-6 * (len(block) > BLOCK_ROWS))

    inputs = torch.rand(4 * COPIED_ROWS, 3) + 1
    assert torch.equal(apply_in_blocks(like_a_kernel, inputs), inputs)
    assert sizes.count(MANY_ROWS) == 1


def test_what_size_many_rows_have_is_asked_once_and_few_rows_do_not_ask():
    sizes = []

    def twice(block):
        sizes.append(len(block))
        return 2 * block

    asked = InBlocks(twice)
    asked(torch.ones(COPIED_ROWS, 3))
    assert set(sizes) == {BLOCK_ROWS}
    for n in (4 * COPIED_ROWS, COPIED_ROWS):
        sizes.clear()
        assert torch.equal(asked(torch.ones(n, 3)), torch.full((n, 3), 2.0))
        tried = MANY_ROWS // BLOCK_ROWS + 1 if n > COPIED_ROWS else 0
        assert len(sizes) == n // MANY_ROWS + tried
    sizes.clear()
    asked(torch.ones(3, 3))
    assert sizes == [BLOCK_ROWS]


@pytest.mark.parametrize("seconds", [0.0, 0.004])
def test_threads_share_blocks_that_take_long_enough_to_be_worth_them(seconds, threads, monkeypatch):
    by, passed = set(), [0.0]

    def slow(block):
        by.add(threading.get_ident())
        time.sleep(seconds)
        passed.append(passed[-1] + seconds)
        return block

    # A busy machine's own clock makes any block long.
    monkeypatch.setattr(reproducible, "time", SimpleNamespace(perf_counter=lambda: passed[-1]))

    threads(2)
    asked, rows = InBlocks(slow), torch.ones(16 * COPIED_ROWS, 3)
    asked(rows)
    by.clear()
    assert torch.equal(asked(rows), rows)
    assert by == {threading.get_ident()} if seconds == 0 else len(by) == 2


def test_an_error_in_one_of_many_blocks_is_raised_and_the_rest_is_left(threads):
    called = []

    def wrong(block):
        called.append(block)
        raise ValueError("no such column")

    threads(2)
    with pytest.raises(ValueError, match="no such column"):
        apply_in_blocks(wrong, torch.ones(50 * COPIED_ROWS, 200))
    assert len(called) < 50


@pytest.mark.parametrize(
    "product",
    [
        lambda x, w: nn.functional.linear(x, w.mT.contiguous()),
        lambda x, w: x @ w,
        torch.matmul,
        torch.mm,
        lambda x, w: torch.addmm(w.new_ones(w.shape[1]), x, w) - 1,
        lambda x, w: torch.bmm(x[None], w[None])[0],
        lambda x, w: torch.baddbmm(w.new_zeros(1, 1, 1), x[None], w[None])[0],
        lambda x, w: torch.stack([x @ column for column in w.mT], 1),
    ],
)
def test_every_product_sums_over_whole_cache_lines_and_gives_the_product(product):
    x, w = torch.randn(6, 50, dtype=torch.float64), torch.randn(50, 3, dtype=torch.float64)
    with AlignedProducts():
        found = product(x, nn.Parameter(w)).detach()
    torch.testing.assert_close(found, x @ w)


def test_every_door_gives_a_row_the_same_number_in_any_order_and_company(tmp_path):
    frame = tables.table(BLOCK_ROWS + 40)
    for kind, problem in (
        ("binary", tables.BINARY),
        ("multiclass", {"task": "multiclass", "target": "city", "drop": ["a", "b", "cost"]}),
        ("regression", {"task": "regression", "target": "cost", "drop": ["left"]}),
        (
            "logarithm",
            {"task": "regression", "target": "cost", "drop": ["left"], "target_transform": "log1p"},
        ),
        ("multilabel", {"task": "multilabel", "target": ["a", "b"]}),
    ):
        model = tables.saved(tmp_path / kind, frame, smearing=(1.5,) * (kind == "logarithm"), **problem)
        whole = model.predict(frame)
        numbers = list(whole.select_dtypes("float64"))
        rng = np.random.default_rng(0)
        for n in (1, 65, len(frame)):
            chosen = rng.permutation(len(frame))[:n]
            rows, expected = (
                frame.iloc[chosen].reset_index(drop=True),
                whole.iloc[chosen].reset_index(drop=True),
            )
            pd.testing.assert_frame_equal(ServedModel(model).predict(rows), expected, check_exact=True)
            assert json_answers(model, rows) == expected.to_dict(orient="records")
            found = csv_answers(model, rows, tmp_path, chunk_rows=max(n // 3, 1))
            pd.testing.assert_frame_equal(found[numbers], expected[numbers], check_exact=True)
            evaluated = evaluate_chunks(model, ChunkedReader(tmp_path / "rows.csv", 100), strict=False)
            assert np.array_equal(evaluated.scores, model.scores(model.select_inputs(frame))[chosen])


def json_answers(model, rows):
    sent = json.dumps({"dataframe_records": rows.replace({np.nan: None}).to_dict(orient="records")})
    text, status, _ = handle_request(model, sent, "application/json")
    assert status == 200, text
    return json.loads(text)["predictions"]


def csv_answers(model, rows, folder, chunk_rows):
    rows.to_csv(folder / "rows.csv", index=False)
    lines = StreamedPredictions(model, ChunkedReader(folder / "rows.csv", chunk_rows), strict=False)
    return pd.read_csv(io.StringIO("".join(lines)))


def test_an_image_binarized_by_samples_does_not_depend_on_the_images_before_it():
    pixels = np.random.default_rng(0).integers(0, 256, (40, 4, 4), dtype=np.uint8)
    images = Images(pixels, np.arange(40) % 2, source="drawn")
    problem = Problem(name="t", task="multiclass")
    split = split_raw(images, problem, SplitSettings(), 0)
    fitted = fit_preprocessor(images, split, problem, PreprocessingSettings(binarize="static"), 0)
    for k in range(40):
        np.testing.assert_array_equal(fitted.inputs(pixels[k : k + 1])[0], fitted.inputs(pixels)[k])


def test_numbers_are_written_with_the_fewest_digits_that_read_back():
    values = np.array([0.1, 1 / 3, 1e-7, 16777216, 123456.789, -2.5], np.float32)
    assert decimal_texts(shortest_decimals(values)) == [
        "0.1", "0.33333334", "1e-7", "16777216", "123456.79", "-2.5"
    ]  # fmt: skip
    rng = np.random.default_rng(0)
    many = rng.integers(0, 2**32, 100_000, dtype=np.uint32).view(np.float32)
    many = many[np.isfinite(many)]
    found = shortest_decimals(many)
    assert np.array_equal(found.astype(np.float32), many)
    texts = decimal_texts(found)
    assert np.array_equal(np.array([float(text) for text in texts]), found)
    # NumPy finds the shortest digits by an algorithm of its own.
    assert [np.format_float_scientific(v, unique=True) for v in many[:2000]] == [
        np.format_float_scientific(v, unique=True) for v in found[:2000]
    ]
    assert shortest_decimals(many[:6].reshape(2, 3)).shape == (2, 3)
