from pathlib import Path

import numpy as np
import pytest
from kedro.io import DatasetError
from PIL import Image

from layerwise.data.sources import ImageReading, ImageSize, Pictures, read_image_arrays
from layerwise.datasets import ImageFiles, kind_of_entry


def picture(path, value, size=(3, 4)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full(size, value, np.uint8)).save(path)


def entry(folder, **given):
    return ImageFiles(path=str(folder), **given)


@pytest.fixture
def folder(tmp_path):
    for k, name in enumerate(("x/1.png", "x/2.png", "y/3.png")):
        picture(tmp_path / "pictures" / name, 10 * k)
    return tmp_path


def test_a_folder_of_classes_is_images_with_text_as_labels(folder):
    images = entry(folder, images={"name": "pictures"}).load()
    assert images.pixels[:, 0, 0].tolist() == [0, 10, 20]
    assert images.labels.tolist() == ["x", "x", "y"]
    assert (images.n_test, images.resized) == (0, False)
    assert images.source == str(folder / "pictures")
    assert len(images.sha256) == 64
    assert kind_of_entry({"type": "layerwise.datasets.ImageFiles"}) == "images"


def test_the_folder_is_found_in_the_data_folder_of_the_environment(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("LAYERWISE_DATA", str(folder))
    assert len(entry(tmp_path / "elsewhere", images={"name": "pictures"}).load()) == 3


def test_sizes_that_differ_are_refused_with_the_line_to_add_and_resized_by_it(folder):
    picture(folder / "pictures/y/4.png", 30, (5, 4))
    with pytest.raises(DatasetError, match=r"2 sizes, such as 3 x 4 and 5 x 4 .* size: \[3, 4\]"):
        entry(folder, images={"name": "pictures"}).load()
    images = entry(folder, images={"name": "pictures"}, size=[3, 4]).load()
    assert images.pixels.shape == (4, 3, 4)
    assert images.resized
    with pytest.raises(DatasetError, match="height, width"):
        entry(folder, images={"name": "pictures"}, size=[3])


def test_a_table_of_labels_takes_the_place_of_folders(folder):
    (folder / "labels.csv").write_text("id;label;age\nx/1.png;cat;3\ny/3;dog;4\n")
    images = entry(folder, images={"name": "pictures"}, labels={"name": "labels.csv"}).load()
    assert images.labels.tolist() == ["cat", "dog"]
    assert images.pixels[:, 0, 0].tolist() == [0, 20]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("file,label\nx/1.png,a\nx/9.png,b\n", "1 pictures of .* not there: x/9.png"),
        ("file,label\nx/1.png,a\nx/1.png,b\n", "names a picture twice"),
        ("file,label\nx/1.png,a\nx/2.png,\n", "have no label: x/2.png"),
        ("file,label\nx/1.png,a\nx/2.png,a,b\n", "row 2: 3 cells"),
        ("file,age,kind\nx/1.png,1,b\n", "label_column: kind"),
        ("file,label\n9,8\n", "no column .* names the pictures"),
        ("", "no column .* names the pictures"),
    ],
)
def test_a_table_of_labels_that_does_not_fit_is_refused(folder, text, message):
    (folder / "labels.csv").write_text(text)
    with pytest.raises(DatasetError, match=message):
        entry(folder, images={"name": "pictures"}, labels={"name": "labels.csv"}).load()


def test_pictures_without_a_class_and_broken_ones_are_named(folder):
    picture(folder / "pictures/4.png", 30)
    with pytest.raises(DatasetError, match=r"beside the folders of the classes: 4.png"):
        entry(folder, images={"name": "pictures"}).load()
    (folder / "pictures/4.png").unlink()
    whole = (folder / "pictures/x/1.png").read_bytes()
    (folder / "pictures/x/1.png").write_bytes(whole[:40])
    with pytest.raises(
        DatasetError, match=r"1 of 3 pictures cannot be read; .* bad_rows: drop to problem.reading: .*x/1.png"
    ):
        entry(folder, images={"name": "pictures"}).load()


def test_broken_pictures_are_left_out_by_setting_which_is_said_once(folder, caplog, monkeypatch):
    whole = entry(folder, images={"name": "pictures"}).load()
    picture(folder / "pictures/x/0.png", 30)
    (folder / "pictures/x/0.png").write_bytes((folder / "pictures/x/0.png").read_bytes()[:40])
    monkeypatch.setattr("layerwise.datasets.sources.image_files.parameter", lambda name: "drop")
    source = entry(folder, images={"name": "pictures"})
    for _ in range(3):
        found = source.load()
        assert (found.pixels == whole.pixels).all()
        assert (found.labels == whole.labels).all()
    assert caplog.text.count("1 of 4 pictures cannot be read and are left out: ") == 1


def test_a_broken_test_picture_leaves_the_others_official():
    names, labels = ["train/a/1", "train/b/2", "test/a/3", "test/b/4"], list("abab")
    found = Pictures(Path(), names, labels, n_test=2).without({0, 3})
    assert (found.names, found.labels, found.n_test) == (["train/b/2", "test/a/3"], ["b", "a"], 1)


def test_pictures_in_one_folder_need_labels(folder):
    picture(folder / "flat/1.png", 1)
    with pytest.raises(DatasetError, match="has no labels; name their file under labels"):
        entry(folder, images={"name": "flat"}).load()
    with pytest.raises(DatasetError, match="is one picture"):
        entry(folder, images={"name": "flat/1.png"}).load()


def test_arrays_come_with_their_labels_or_those_of_another_file(tmp_path):
    pixels = np.random.default_rng(0).random((6, 2, 3)).astype(np.float32)
    np.savez(tmp_path / "a.npz", images=pixels, labels=np.arange(6) % 2)
    images = entry(tmp_path, images={"name": "a.npz"}).load()
    assert (images.pixels == pixels).all()
    assert images.labels.dtype == np.int64
    np.save(tmp_path / "b.npy", pixels.reshape(-1, 2, 3))
    np.save(tmp_path / "labels.npy", np.array(list("abcabc")))
    both = entry(
        tmp_path,
        images={"name": "b.npy"},
        labels={"name": "labels.npy"},
        test_images={"name": "a.npz"},
        test_labels={"name": "labels.npy"},
    ).load()
    assert both.n_test == 6
    assert both.labels.tolist() == list("abcabcabcabc")
    with pytest.raises(DatasetError, match="no labels"):
        entry(tmp_path, images={"name": "b.npy"}).load()
    np.save(tmp_path / "labels.npy", np.arange(5))
    with pytest.raises(DatasetError, match="5 labels do not fit 6 images"):
        entry(tmp_path, images={"name": "b.npy"}, labels={"name": "labels.npy"}).load()


def test_flat_rows_are_square_images_or_refused(tmp_path):
    np.savez(tmp_path / "a.npz", images=np.zeros((2, 9)), labels=[0, 1])
    assert entry(tmp_path, images={"name": "a.npz"}).load().pixels.shape == (2, 3, 3)
    np.savez(tmp_path / "a.npz", images=np.zeros((2, 8)), labels=[0, 1])
    with pytest.raises(DatasetError, match="no square image"):
        entry(tmp_path, images={"name": "a.npz"}).load()


def test_raw_images_are_read_only(folder):
    with pytest.raises(DatasetError, match="read only"):
        entry(folder, images={"name": "pictures"}).save(1)


def test_test_images_are_read_in_the_colors_of_the_training_images(tmp_path):
    rng = np.random.default_rng(0)
    color = rng.integers(0, 256, (4, 5, 6, 3), dtype=np.uint8)
    np.savez(tmp_path / "color.npz", images=color, labels=[0, 1, 0, 1])
    np.savez(tmp_path / "gray.npz", images=color[..., 0], labels=[0, 1, 0, 1])
    names = {"images": {"name": "color.npz"}, "test_images": {"name": "gray.npz"}}
    assert entry(tmp_path, **names).load().pixels.shape == (8, 5, 6, 3)
    names = {"images": {"name": "gray.npz"}, "test_images": {"name": "color.npz"}}
    assert entry(tmp_path, **names).load().pixels.shape == (8, 5, 6)


def test_colors_and_channels_that_there_are_not_are_refused(tmp_path):
    with pytest.raises(DatasetError, match="color is one of auto, gray, rgb, not 'grey'"):
        entry(tmp_path, images={"name": "a.npz"}, color="grey")
    with pytest.raises(DatasetError, match="channels is one of first, last, not 'middle'"):
        entry(tmp_path, images={"name": "a.npz"}, channels="middle")


def test_flat_rows_in_color_are_read_by_their_channels_and_resized_with_their_colors(tmp_path):
    rng = np.random.default_rng(0)
    color = rng.integers(0, 256, (2, 4, 4, 3), dtype=np.uint8)
    np.savez(tmp_path / "a.npz", images=np.moveaxis(color, -1, 1).reshape(2, -1), labels=[0, 1])
    with pytest.raises(DatasetError, match="channels: first"):
        entry(tmp_path, images={"name": "a.npz"}).load()
    found = entry(tmp_path, images={"name": "a.npz"}, channels="first").load()
    assert (found.pixels == color).all()
    small = entry(tmp_path, images={"name": "a.npz"}, channels="first", size=[2, 2]).load().pixels
    for k in range(3):
        own = np.asarray(Image.fromarray(color[0, ..., k]).resize((2, 2), Image.Resampling.BILINEAR))
        assert (small[0, ..., k] == own).all()


@pytest.mark.parametrize("size", [None, [3, 3], [2, 2]])
def test_flat_gray_rows_become_gray_in_each_color_where_rgb_is_asked_for(tmp_path, size):
    gray = np.arange(18, dtype=np.uint8).reshape(2, 9)
    np.savez(tmp_path / "a.npz", images=gray, labels=[0, 1])
    found = entry(tmp_path, images={"name": "a.npz"}, color="rgb", size=size).load().pixels
    side = 3 if size is None else size[0]
    assert found.shape == (2, side, side, 3)
    assert (found == found[..., :1]).all()
    # New rows of this form are read as those of training.
    new = ImageReading(ImageSize(side, side, resize=size is not None), "rgb", "last")
    assert (read_image_arrays(tmp_path / "a.npz", new).pixels == found).all()


@pytest.mark.parametrize("color", ["gray", "rgb"])
def test_flat_rows_of_as_many_values_as_the_size_has_pixels_are_images_of_it(tmp_path, color):
    flat = np.arange(32, dtype=np.uint8).reshape(2, 16)
    np.savez(tmp_path / "a.npz", images=flat, labels=[0, 1])
    found = entry(tmp_path, images={"name": "a.npz"}, color=color, size=[2, 8]).load().pixels
    assert found.shape == ((2, 2, 8, 3) if color == "rgb" else (2, 2, 8))
