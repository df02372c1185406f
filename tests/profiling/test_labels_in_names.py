"""Labels in the names of pictures: proposed where they are classes, and answered for without them."""

import numpy as np
import pytest
import yaml
from kedro.io import AbstractDataset, DatasetError
from PIL import Image

from layerwise.data import DataError
from layerwise.data.reading import ChunkedReader
from layerwise.data.sources import labels_in_names
from layerwise.datasets import ImageFiles
from layerwise.profiling import propose_problem


def write(folder, names):
    folder.mkdir(parents=True, exist_ok=True)
    for k, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((5, 4), 10 + k, np.uint8)).save(folder / name)


@pytest.mark.parametrize(
    ("names", "labels"),
    [
        (["cat.0.jpg", "cat.1.jpg", "dog.0.jpg", "dog.1.jpg"], ["cat", "cat", "dog", "dog"]),
        (
            ["great_dane_12.png", "great_dane_3.png", "pug-1.png", "pug-22.png"],
            ["great_dane"] * 2 + ["pug"] * 2,
        ),
        (["Rose (1).png", "Rose (2).png", "x9/Iris[7].png", "Iris8.png"], ["Rose", "Rose", "Iris", "Iris"]),
        (["type2_1.png", "type2_2.png", "type1_1.png", "type1_2.png"], ["type2", "type2", "type1", "type1"]),
        (["cat.0.jpg", "cat.1.jpg", "dog.0.jpg"], None),
        (["cat.0.jpg", "cat.1.jpg", "cat.2.jpg"], None),
        (["cat.0.jpg", "cat.1.jpg", "dog.0.jpg", "dog.jpg"], None),
        (["IMG_0001.jpg", "IMG_0002.jpg", "DSC00001.jpg", "DSC00002.jpg"], None),
        (["0.jpg", "1.jpg", "2.jpg", "3.jpg"], None),
        (["2024-01-02.jpg", "2024-01-03.jpg", "2023-01-02.jpg", "2023-01-03.jpg"], None),
        ([], None),
    ],
)
def test_a_label_stands_before_a_number_and_two_classes_have_two_pictures_each(names, labels):
    assert labels_in_names(names) == labels


NAMES = [f"{kind}.{k}.png" for kind in ("cat", "dog") for k in range(3)]


def test_pictures_with_labels_in_their_names_are_proposed_and_read(tmp_path):
    write(tmp_path / "p", NAMES)
    found = propose_problem("mine", tmp_path / "p", tmp_path)
    assert found.proposal.entry["labels_in_names"] is True
    assert found.proposal.findings[:2] == [
        "6 pictures with their labels in their names",
        "its classes are cat (3), dog (3)",
    ]
    assert "# The label of a picture is what stands before the number in its name" in found.catalog
    images = AbstractDataset.from_config("raw", yaml.safe_load(found.catalog)["raw"]).load()
    assert images.labels.tolist() == ["cat"] * 3 + ["dog"] * 3
    # As evaluate reads the folder; and as predict does pictures that nobody has named.
    (chunk,) = ChunkedReader(tmp_path / "p").chunks()
    assert chunk.labels.tolist() == images.labels.tolist()
    write(tmp_path / "new", ["a.png", "b.png"])
    (chunk,) = ChunkedReader(tmp_path / "new").chunks()
    assert (chunk.labels, chunk.lines) == (None, ["a.png", "b.png"])


def test_pictures_below_test_are_the_official_test_rows(tmp_path):
    write(tmp_path / "p", [f"{part}/{name}" for part in ("test", "train") for name in NAMES])
    found = propose_problem("mine", tmp_path / "p", tmp_path)
    images = AbstractDataset.from_config("raw", yaml.safe_load(found.catalog)["raw"]).load()
    assert images.n_test == 6
    assert images.labels.tolist() == (["cat"] * 3 + ["dog"] * 3) * 2


@pytest.mark.parametrize(
    "names", [["train/0.png", "train/1.png", "test/2.png", "test/3.png"], ["a.png", "b.png"]]
)
def test_folders_of_parts_are_no_classes_and_nothing_is_proposed_without_any(tmp_path, names):
    write(tmp_path / "p", names)
    with pytest.raises(
        DataError, match=r"in no folder of their class, and their names tell none \(cat.0.jpg"
    ):
        propose_problem("mine", tmp_path / "p", tmp_path)


def test_names_that_tell_no_classes_and_two_places_of_labels_are_refused(tmp_path):
    write(tmp_path / "p", ["a.png", "b.png"])
    entry = {"path": str(tmp_path), "images": {"name": "p"}, "labels_in_names": True}
    with pytest.raises(DatasetError, match=r"the names of the pictures in .* tell no classes"):
        ImageFiles(**entry).load()
    with pytest.raises(DatasetError, match="labels names a file of labels"):
        ImageFiles(**entry, labels={"name": "labels.csv"})
