import csv
import hashlib
import io
import zipfile
from base64 import urlsafe_b64encode
from pathlib import Path

from helpers.pip import install_offline

import layerwise
from layerwise.utils import package_wheel


def test_the_wheel_holds_every_module_with_its_hash():
    name, content = package_wheel()
    archive = zipfile.ZipFile(io.BytesIO(content))
    sources = {
        f"layerwise/{path.relative_to(Path(layerwise.__file__).parent).as_posix()}"
        for path in Path(layerwise.__file__).parent.rglob("*.py*")
        if path.suffix in (".py", ".pyi")
    }
    assert sources <= set(archive.namelist())
    record = next(each for each in archive.namelist() if each.endswith("RECORD"))
    for path, digest, size in csv.reader(io.StringIO(archive.read(record).decode())):
        if path == record:
            continue
        found = urlsafe_b64encode(hashlib.sha256(archive.read(path)).digest()).rstrip(b"=").decode()
        assert (digest, int(size)) == (f"sha256={found}", len(archive.read(path)))
    assert name.startswith("layerwise-0.1.0+")


def test_pip_installs_the_wheel(tmp_path):
    name, content = package_wheel()
    (tmp_path / name).write_bytes(content)
    install_offline(tmp_path / "site", str(tmp_path / name))
    assert (tmp_path / "site/layerwise/inference/server.py").is_file()
