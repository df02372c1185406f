import os
import stat

import pytest

from layerwise.utils import atomic_write


def test_a_file_appears_under_its_name_only_when_it_is_whole(tmp_path):
    place = tmp_path / "folder" / "weights"
    with atomic_write(place) as part:
        part.write_bytes(b"half")
        assert not place.exists()
        part.write_bytes(b"whole")
    assert place.read_bytes() == b"whole"
    assert os.listdir(place.parent) == ["weights"]


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path):
    place = tmp_path / "weights"
    place.write_bytes(b"old")

    def fail():
        with atomic_write(place) as part:
            part.write_bytes(b"new")
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        fail()
    assert place.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["weights"]


def test_the_file_is_as_readable_as_the_users_others(tmp_path):
    previous = os.umask(0o027)
    try:
        with atomic_write(tmp_path / "weights") as part:
            part.write_bytes(b"")
    finally:
        os.umask(previous)
    assert stat.S_IMODE((tmp_path / "weights").stat().st_mode) == 0o640
