"""Tampered models: a saved model is changed in many ways, and whatever opens it has to refuse it with a sentence.

    python benchmarks/torture/tampered.py --folders 200 --seed 0

Prints how many were refused, opened, ended in another error, and hung, by door. Refused is right, in all of them.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import signal
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
from mlflow.models import Model

from layerwise.data import PreprocessingSettings, Problem, SplitSettings, split_raw
from layerwise.data.preprocessing import fit_preprocessor
from layerwise.inference import (
    MLMODEL_SHA256,
    ModelError,
    ModelManifest,
    load_trained_model,
    save_trained_model,
)
from layerwise.inference.server import _load_pyfunc
from layerwise.models import MLP, MLPConfig
from layerwise.tracking.logged_models.model_lookup import find_model
from layerwise.utils import torch_rng

SECONDS = 30
DATA = "data/model"
Rng = np.random.Generator


def save_model(target: Path) -> str:
    """Write a small model as MLflow keeps it; return the sha256 of its manifest."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"age": rng.normal(40, 5, 200), "city": rng.choice(["rome", "oslo"], 200)})
    frame["left"] = rng.choice(["no", "yes"], 200)
    problem = Problem(name="t", task="binary", target="left", positive="yes")
    split = split_raw(frame, problem, SplitSettings(), 0)
    preprocessor = fit_preprocessor(frame, split, problem, PreprocessingSettings(), 0)
    network = MLP(MLPConfig(n_inputs=preprocessor.data_spec.n_inputs, n_outputs=1), torch_rng(0, "w"))
    with tempfile.TemporaryDirectory() as folder:
        sha256 = save_trained_model(
            f"{folder}/model", network.eval(), preprocessor, ModelManifest(problem="t")
        )
        mlflow.pyfunc.save_model(
            str(target),
            loader_module="layerwise.inference.server",
            data_path=f"{folder}/model",
            mlflow_model=Model(metadata={MLMODEL_SHA256: sha256}),
            pip_requirements=[],
        )
    return sha256


def a_file(folder: Path, rng: Rng) -> Path:
    """Return one of the model's own files."""
    files = sorted(path for path in (folder / DATA).rglob("*") if path.is_file())
    return files[rng.integers(len(files))]


def flip(folder: Path, rng: Rng) -> None:
    """Change one bit of a file."""
    path = a_file(folder, rng)
    content = bytearray(path.read_bytes())
    content[rng.integers(len(content))] ^= 1 << int(rng.integers(8))
    path.write_bytes(bytes(content))


def cut(folder: Path, rng: Rng) -> None:
    """Cut the end of a file off."""
    path = a_file(folder, rng)
    content = path.read_bytes()
    path.write_bytes(content[: rng.integers(len(content))])


def lengthen(folder: Path, rng: Rng) -> None:
    """Put bytes behind a file."""
    with a_file(folder, rng).open("ab") as file:
        file.write(rng.bytes(int(rng.integers(1, 100))))


def take_out(folder: Path, rng: Rng) -> None:
    """Delete a file."""
    a_file(folder, rng).unlink()


def exchange(folder: Path, rng: Rng) -> None:
    """Give two files each other's content."""
    files = sorted(path for path in (folder / DATA).rglob("*") if path.is_file())
    first, second = (files[k] for k in rng.choice(len(files), 2, replace=False))
    content = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(content)


def put_in(folder: Path, rng: Rng) -> None:
    """Add a file that is none of the model's."""
    names = [
        "model.pkl",
        "sitecustomize.py",
        ".hidden",
        "preprocessor/fitted.skops",
        "a/b/c.so",
        "x\ny",
        "é",
        "seen_rows.npy",
    ]
    path = folder / DATA / names[rng.integers(len(names))]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(rng.bytes(50))


def replace_by_link(folder: Path, rng: Rng) -> None:
    """Replace a file by a link to a copy of itself, to a device or to nothing."""
    path = a_file(folder, rng)
    moved = folder.parent / "elsewhere"
    path.rename(moved)
    path.symlink_to([moved, Path("/dev/zero"), Path("/nowhere"), path][rng.integers(4)])


def replace_by_pipe(folder: Path, rng: Rng) -> None:
    """Replace a file by a pipe, which nobody writes to."""
    path = a_file(folder, rng)
    path.unlink()
    os.mkfifo(path)


def replace_by_folder(folder: Path, rng: Rng) -> None:
    """Replace a file by a folder."""
    path = a_file(folder, rng)
    path.unlink()
    (path / "inside").mkdir(parents=True)


def add_pipe_or_link(folder: Path, rng: Rng) -> None:
    """Add a pipe or a link."""
    path = folder / DATA / "more"
    if rng.integers(2):
        os.mkfifo(path)
    else:
        path.symlink_to("/", target_is_directory=True)


def link_the_data(folder: Path, rng: Rng) -> None:
    """Replace the data's folder by a link to it, with a file changed."""
    flip(folder, rng)
    moved = folder.parent / "moved"
    (folder / DATA).rename(moved)
    (folder / DATA).symlink_to(moved, target_is_directory=True)


def edit_manifest(folder: Path, rng: Rng) -> None:
    """Change a value of the manifest."""
    path = folder / DATA / "model.json"
    values = json.loads(path.read_text())
    name = sorted(values)[rng.integers(len(values))]
    choices: list[Any] = [
        0.0,
        1e308,
        -1,
        "",
        "../../x",
        None,
        [],
        {},
        True,
        float("nan"),
        float("-inf"),
        [[]] * 50,
    ]
    value = choices[rng.integers(len(choices))]
    path.write_text(json.dumps(values | {name: value if value != values[name] else "other"}))


def edit_named_files(folder: Path, rng: Rng) -> None:
    """Name other files in the manifest."""
    path = folder / DATA / "model.json"
    values = json.loads(path.read_text())
    names = ["../../MLmodel", "/etc/passwd", "", ".", "network.py", "model.json", "x" * 300, "\0"]
    values["files"][names[rng.integers(len(names))]] = "0" * 64
    path.write_text(json.dumps(values))


def fit_manifest(folder: Path, rng: Rng) -> None:
    """Change a file and fit the manifest to it."""
    path = folder / DATA / "model.json"
    while (changed := a_file(folder, rng)) == path:
        pass
    changed.write_bytes(changed.read_bytes() + b" ")
    values = json.loads(path.read_text())
    name = changed.relative_to(path.parent).as_posix()
    values["files"][name] = hashlib.sha256(changed.read_bytes()).hexdigest()
    path.write_text(json.dumps(values))


def spoil_manifest(folder: Path, rng: Rng) -> None:
    """Write a manifest that is none."""
    texts = [
        b"",
        b"null",
        b"[" * 100_000,
        b"\xff\xfe",
        b'{"format": 2}',
        b'{"a": 1e999}',
        b"9" * 10_000,
        b" " * (17 << 20),
    ]
    (folder / DATA / "model.json").write_bytes(texts[rng.integers(len(texts))])


CHANGES: list[Callable[[Path, Rng], None]] = [
    flip, cut, lengthen, take_out, exchange, put_in, replace_by_link, replace_by_pipe, replace_by_folder,
    add_pipe_or_link, link_the_data, edit_manifest, edit_named_files, fit_manifest, spoil_manifest,
]  # fmt: skip


def spoil_mlmodel(folder: Path, rng: Rng) -> None:
    """Change MLflow's own file, which MLflow trusts and the others do not."""
    path = folder / "MLmodel"
    text = path.read_text()
    kind = rng.integers(6)
    path.unlink()
    if kind == 0:
        os.mkfifo(path)
    elif kind == 1:
        path.symlink_to("/etc/hostname")
    else:
        texts = [
            "a: &a [x]\nb: &b [*a, *a]\nc: [*b, *b]",
            "[" * 5000,
            text.replace("layerwise.inference.server", "os"),
        ]
        path.write_text([*texts, text.replace(DATA, "../elsewhere")][kind - 2])


def doors(sha256: str) -> dict[str, Callable[[Path], object]]:
    """Return what opens a model, by name."""
    return {
        "registry's hash": lambda folder: load_trained_model(find_model(str(folder), "").folder, sha256),
        "folder": lambda folder: find_model(str(folder), ""),
        "mlflow.pyfunc": lambda folder: _load_pyfunc(str(folder / DATA)),
    }


def outcome(opens: Callable[[Path], object], folder: Path) -> str:
    """Return what became of opening a folder."""
    signal.alarm(SECONDS)
    try:
        opens(folder)
        return "opened"
    except ModelError as error:
        return (
            "refused" if str(error) and "\n" not in str(error).rstrip() else f"error of many lines: {error}"
        )
    except TimeoutError:
        return "hung"
    except Exception as error:
        return f"another error: {error!r}"
    finally:
        signal.alarm(0)


def tamper(right: Path, sha256: str, folders: int, seed: int) -> Counter[tuple[str, str]]:
    """Change copies of a model; return the number of outcomes by door."""

    def ring(*_: object) -> None:
        raise TimeoutError

    signal.signal(signal.SIGALRM, ring)
    counts: Counter[tuple[str, str]] = Counter()
    changes = [*CHANGES, spoil_mlmodel]
    for k in range(folders):
        rng, change = np.random.default_rng([seed, k]), changes[k % len(changes)]
        with tempfile.TemporaryDirectory() as directory:
            folder = Path(directory, "model")
            shutil.copytree(right, folder)
            change(folder, rng)
            for door, opens in doors(sha256).items():
                if change is spoil_mlmodel and door == "mlflow.pyfunc":
                    continue
                found = outcome(opens, folder)
                counts[door, found] += 1
                if found != "refused":
                    print(f"seed {seed}, folder {k}, {change.__name__}, {door}: {found}")
    return counts


def main() -> None:
    """Print the counts."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folders", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        right = Path(directory, "right")
        sha256 = save_model(right)
        assert [outcome(opens, right) for opens in doors(sha256).values()] == ["opened"] * 3
        counts = tamper(right, sha256, arguments.folders, arguments.seed)
    for (door, found), n in sorted(counts.items()):
        print(f"{door:16} {found:10} {n}")


if __name__ == "__main__":
    main()
