"""What a finished run could not store at its end, kept in `data/outbox` until a later command stores it.

data/outbox/<run id>/records.jsonl        metrics, tags, files, the status (`BufferedRunLogger`)
data/outbox/<run id>/models/<entry>/      a model that is to be logged and registered
data/outbox/<run id>/outputs/             copies of the run's outputs
"""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from filelock import FileLock, Timeout

from layerwise.data.sources import Images
from layerwise.inference import verify_model_folder
from layerwise.tracking.outbox.background import upload_folder
from layerwise.tracking.outbox.failures import store_failure
from layerwise.tracking.outbox.records import (
    LOCK,
    WAITING_TAG,
    count_records,
    read_records,
    records_file,
    send_records,
    write_records,
)
from layerwise.utils import atomic_write

if TYPE_CHECKING:
    import pandas as pd
    from mlflow import MlflowClient

    from layerwise.tracking.model_logging import Submission

MODELS, OUTPUTS = "models", "outputs"
# Written last: an item without it was never finished.
ITEM = "item.json"
log = logging.getLogger(__name__)


def keep_model(folder: Path, uri: str, submission: Submission) -> None:
    """Keep a model for a later command.

    Args:
        folder: of the run in the outbox.
        uri: of the tracking server.
        submission: the model.

    Raises:
        OSError: it cannot be written.
    """
    target = folder / MODELS / submission.saved.entry
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(submission.saved.folder, target / "model")
    rows = submission.test_rows()
    item = {
        "uri": uri,
        "entry": submission.saved.entry,
        "kind": submission.kind,
        "name": submission.name,
        "card": submission.card,
        "example": _write_table(submission.example, target / "example.parquet"),
        "rows": _write_rows(rows, target),
    }
    with atomic_write(target / ITEM) as part:
        part.write_text(json.dumps(item))


def keep_outputs(folder: Path, uri: str, copy: Callable[[Path], Any]) -> None:
    """Keep copies of a run's outputs for a later command.

    Args:
        folder: of the run in the outbox.
        uri: of the tracking server.
        copy: copies them into a folder.

    Raises:
        OSError: they cannot be written.
    """
    target = folder / OUTPUTS
    shutil.rmtree(target, ignore_errors=True)
    (target / OUTPUTS).mkdir(parents=True)
    copy(target / OUTPUTS)
    with atomic_write(target / ITEM) as part:
        part.write_text(json.dumps({"uri": uri}))


def _write_table(table: pd.DataFrame | None, path: Path) -> bool:
    if table is None:
        return False
    texts = dict.fromkeys(table.select_dtypes("object"), str)
    table.astype(texts).to_parquet(path)
    return True


def _write_rows(rows: pd.DataFrame | Images | str, target: Path) -> str:
    """Write the rows that it is compared with the champion on; return of what kind they are, or why there are none."""
    if isinstance(rows, str):
        return rows
    if isinstance(rows, Images):
        np.savez(target / "rows.npz", pixels=rows.pixels, labels=rows.labels)
        return "images"
    _write_table(rows, target / "rows.parquet")
    return "table"


def _read_submission(folder: Path, item: dict[str, Any]) -> Submission:
    import pandas as pd

    # Imported here, as it imports MLflow, and most commands have nothing that was kept.
    from layerwise.tracking.logged_models import SavedModel
    from layerwise.tracking.model_logging import Submission

    def test_rows() -> pd.DataFrame | Images | str:
        if item["rows"] == "images":
            with np.load(folder / "rows.npz", allow_pickle=False) as found:
                return Images(found["pixels"], found["labels"])
        return pd.read_parquet(folder / "rows.parquet") if item["rows"] == "table" else str(item["rows"])

    manifest, sha256 = verify_model_folder(folder / "model")
    saved = SavedModel(item["entry"], folder / "model", manifest, sha256)
    example = pd.read_parquet(folder / "example.parquet") if item["example"] else None
    return Submission(saved, item["kind"], item["name"], example, item["card"], test_rows)


def send_outbox(client: MlflowClient, uri: str, root: Path) -> None:
    """Store what earlier runs kept for this server; what it does not take now stays for the next command.

    Args:
        client: of the tracking server.
        uri: of it.
        root: the outbox.
    """
    for folder in sorted(root.iterdir()) if root.is_dir() else ():
        lock = FileLock(folder / LOCK)
        try:
            lock.acquire(blocking=False)
        except (Timeout, OSError):  # its run is under way, or another user's
            continue
        try:
            _send_all_of(client, uri, folder)
        finally:
            lock.release()


def _send_all_of(client: MlflowClient, uri: str, folder: Path) -> None:
    """Store what one run kept, its status last."""
    items = sorted(path.parent for path in folder.rglob(ITEM))
    parts = [partial(_send_item, client, uri, folder.name, item) for item in items]
    sent = [_try_to_send(folder, part) for part in (*parts, partial(_send_kept_records, client, uri, folder))]
    if all(sent):
        with suppress(Exception):  # a run that kept nothing but metrics has no such tag
            client.delete_tag(folder.name, WAITING_TAG)
        shutil.rmtree(folder, ignore_errors=True)


def _try_to_send(folder: Path, send: Callable[[], bool]) -> bool:
    try:
        return send()
    except Exception as error:  # a run of long ago shall not stop this one
        log.warning(
            "What run %s kept in %s could not be stored: %s",
            folder.name,
            folder,
            store_failure(error) or error,
        )
        return False


def _send_item(client: MlflowClient, uri: str, run_id: str, folder: Path) -> bool:
    """Store a model or the outputs that a run kept; False for those of another server."""
    item = json.loads((folder / ITEM).read_text())
    if item["uri"] != uri:
        return False
    if folder.name == OUTPUTS:
        upload_folder(client, "run", run_id, folder / OUTPUTS, OUTPUTS)
    else:
        from layerwise.tracking.model_logging import submit

        submit(client, _read_submission(folder, item))
    log.info("The tracking server has the %s that run %s kept for it", item.get("name", OUTPUTS), run_id)
    shutil.rmtree(folder)
    return True


def _send_kept_records(client: MlflowClient, uri: str, folder: Path) -> bool:
    path, run_id = records_file(folder.parent, folder.name), folder.name
    head, records = read_records(path)
    if not records:
        return True
    if head.get("uri") != uri:
        return False
    left = send_records(client, run_id, records)
    write_records(path, [head, *left] if left else [])
    log.info("The tracking server has what run %s kept for it: %s", run_id, count_records(records))
    return not left
