import gzip
import struct

import numpy as np
import pytest
from PIL import Image

from layerwise.data import DataError
from layerwise.data.sources import (
    ImageReading,
    ImageSize,
    image_form,
    list_pictures,
    picture_sizes,
    read_image_arrays,
    read_pictures,
)

GRAY = np.arange(12, dtype=np.uint8).reshape(3, 4) * 20


def save(path, array, mode=None, **given):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array, mode).save(path, **given)
    return path


def one(path, size=None):
    pixels, wrong = read_pictures([path], ImageReading(size, color="gray"))
    assert wrong == {}
    return pixels[0]


def idx(array):
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def test_a_form_is_seen_in_the_content_whatever_the_name(tmp_path):
    forms = {}
    np.savez(tmp_path / "a.npz", images=GRAY)
    np.save(tmp_path / "b.npy", GRAY)
    (tmp_path / "c").write_bytes(idx(GRAY))
    (tmp_path / "d").write_bytes(gzip.compress(idx(GRAY)))
    save(tmp_path / "e.png", GRAY)
    save(tmp_path / "f.jpg", GRAY)
    (tmp_path / "g.npy").write_text("a,b\n1,2\n")
    (tmp_path / "h").write_text("BMW,PK\n1,2\n")
    for k, path in enumerate(sorted(tmp_path.iterdir())):
        path = path.rename(tmp_path / f"{k}.csv")
        forms[k] = image_form(path)
    assert list(forms.values()) == ["npz", "npy", "idx", "idx", "picture", "picture", None, None]
    assert image_form(tmp_path) == "folder"
    assert image_form(tmp_path / "nothing") is None


def test_gray_pictures_keep_their_bytes_and_colors_become_luma(tmp_path):
    assert (one(save(tmp_path / "g.png", GRAY)) == GRAY).all()
    color = np.zeros((1, 5, 3), np.uint8)
    color[0, :3] = np.eye(3) * 255
    assert one(save(tmp_path / "c.png", color)).tolist() == [[76, 150, 29, 0, 0]]
    gray = ImageReading(color="gray")
    arrays = read_image_arrays(saved(tmp_path / "c.npy", color[None]), gray).pixels
    assert arrays.tolist() == [[[76, 150, 29, 0, 0]]]
    first = read_image_arrays(saved(tmp_path / "f.npy", np.moveaxis(color[None], -1, 1)), gray).pixels
    assert first.tolist() == arrays.tolist()


def saved(path, array):
    np.save(path, array)
    return path


def test_what_is_transparent_is_white_and_sixteen_bits_become_eight(tmp_path):
    clear = np.zeros((1, 2, 4), np.uint8)
    clear[0, 1] = (0, 0, 0, 255)
    assert one(save(tmp_path / "t.png", clear)).tolist() == [[255, 0]]
    deep = np.array([[0, 257, 65535]], np.uint16)
    assert one(save(tmp_path / "d.png", deep)).tolist() == [[0, 1, 255]]


def test_a_picture_is_turned_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera lay on its side
    path = save(tmp_path / "e.png", GRAY, exif=exif)
    assert (one(path) == np.rot90(GRAY, -1)).all()
    assert picture_sizes([path]) == [(4, 3)]


def test_other_sizes_are_resized_only_where_that_was_asked_for(tmp_path):
    flat = save(tmp_path / "flat.png", np.full((6, 8), 40, np.uint8))
    assert (one(flat, ImageSize(3, 4, resize=True)) == 40).all()
    pixels, wrong = read_pictures([save(tmp_path / "g.png", GRAY), flat], ImageReading(ImageSize(3, 4)))
    assert wrong == {1: "the picture has 6 x 8 pixels, not 3 x 4"}
    assert pixels.shape == (2, 3, 4)
    arrays = read_image_arrays(
        saved(tmp_path / "a.npy", np.full((2, 6, 8), 0.25)), ImageReading(ImageSize(3, 4, True))
    )
    assert arrays.pixels.shape == (2, 3, 4)
    assert (arrays.pixels == 0.25).all()


def test_a_broken_picture_costs_itself_alone(tmp_path):
    whole = save(tmp_path / "a.png", GRAY)
    broken = tmp_path / "b.png"
    broken.write_bytes(whole.read_bytes()[:40])
    pixels, wrong = read_pictures([broken, whole])
    assert list(wrong) == [0]
    assert "b.png cannot be read as a picture" in wrong[0]
    assert pixels.shape == (2, 3, 4)
    assert (pixels[1] == GRAY).all()


def test_labels_are_folders_and_a_test_folder_comes_last(tmp_path):
    for name in ("b/2.png", "a/1.png", "a/3.png", ".hidden/4.png"):
        save(tmp_path / "plain" / name, GRAY)
    (tmp_path / "plain" / "Thumbs.db").write_bytes(b"no picture")
    found = list_pictures(tmp_path / "plain")
    assert found.names == ["a/1.png", "a/3.png", "b/2.png"]
    assert (found.labels, found.n_test, found.n_others) == (["a", "a", "b"], 0, 1)
    for name in ("test/a/1.png", "train/b/1.png", "train/a/2.png", "test/b/1.png"):
        save(tmp_path / "parts" / name, GRAY)
    found = list_pictures(tmp_path / "parts")
    assert found.names == ["train/a/2.png", "train/b/1.png", "test/a/1.png", "test/b/1.png"]
    assert (found.labels, found.n_test) == (["a", "b", "a", "b"], 2)
    with pytest.raises(DataError, match="holds no pictures"):
        list_pictures(tmp_path / "parts/train/b/1.png")


def test_classes_called_test_and_train_beside_others_are_classes(tmp_path):
    for name in ("test/1.png", "train/1.png"):
        save(tmp_path / name, GRAY)
    assert list_pictures(tmp_path).labels == ["test", "train"]


def test_the_hash_of_a_folder_is_that_of_names_and_bytes(tmp_path):
    save(tmp_path / "a/1.png", GRAY)
    first = list_pictures(tmp_path).sha256()
    assert list_pictures(tmp_path).sha256() == first
    save(tmp_path / "a/1.png", GRAY + 1)
    assert list_pictures(tmp_path).sha256() != first
    save(tmp_path / "a/1.png", GRAY).rename(tmp_path / "a/2.png")
    assert list_pictures(tmp_path).sha256() != first


def test_published_archives_have_their_test_rows_last(tmp_path):
    train, test = np.zeros((3, 2, 2), np.uint8), np.ones((2, 2, 2), np.uint8)
    given = {"x_train": train, "y_train": [0, 1, 0], "x_test": test, "y_test": [[1], [0]]}
    given["y_train"] = np.array(given["y_train"])[:, None]
    np.savez(tmp_path / "keras.npz", **given)
    found = read_image_arrays(tmp_path / "keras.npz")
    assert found.pixels[:, 0, 0].tolist() == [0, 0, 0, 1, 1]
    assert (found.labels.tolist(), found.n_test) == ([0, 1, 0, 1, 0], 2)


@pytest.mark.parametrize("names", [("data", "target"), ("faces", "label")])
def test_images_are_found_by_the_names_of_datasets_and_by_their_shape(tmp_path, names):
    ids = np.arange(9)
    np.savez(
        tmp_path / "a.npz", **dict(zip(names, (np.zeros((9, 4, 5)), ids % 3), strict=True)), ids=ids, of="x"
    )
    found = read_image_arrays(tmp_path / "a.npz")
    assert found.pixels.shape == (9, 4, 5)
    assert found.labels.tolist() == (ids % 3).tolist()


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"other": GRAY}, "no array named images"),
        ({"one": GRAY[None], "another": GRAY[None]}, "no array named images"),
        ({"images": np.zeros((2, 5, 6, 7))}, "neither"),
        ({"images": np.array(["a", "b"])}, "no images"),
        ({"images": np.zeros((2, 2, 2)), "labels": np.eye(2)}, "one for each image"),
    ],
)
def test_arrays_that_are_no_images_are_refused(tmp_path, arrays, message):
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(DataError, match=message):
        read_image_arrays(tmp_path / "a.npz")


def test_one_image_may_stand_alone_in_the_size_that_is_asked_for(tmp_path):
    gray, color = np.arange(12.0).reshape(3, 4), np.arange(36.0).reshape(3, 4, 3)
    size = ImageReading(ImageSize(3, 4), "gray", "last")
    np.savez(tmp_path / "g.npz", images=gray)
    for file in (saved(tmp_path / "g.npy", gray), tmp_path / "g.npz"):
        assert read_image_arrays(file, size).pixels.tolist() == [gray.tolist()]
    assert read_image_arrays(saved(tmp_path / "c.npy", color), size._replace(color="rgb")).pixels.shape == (
        1,
        3,
        4,
        3,
    )
    # Rows of twelve values, and sixteen images of 4 x 4 that are resized, stay sets of images.
    assert read_image_arrays(saved(tmp_path / "r.npy", gray.reshape(1, 12)), size).pixels.shape == (1, 12)
    squares = np.arange(256.0).reshape(16, 16)
    resized = ImageReading(ImageSize(16, 16, True), "gray")
    assert len(read_image_arrays(saved(tmp_path / "s.npy", squares), resized).pixels) == 16
