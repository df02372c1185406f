import json
import stat

import numpy as np
import pandas as pd
import pytest
from helpers.running_server import ask, running
from helpers.tables import saved, table

from layerwise.data import DataError
from layerwise.data.reading import ChunkedReader
from layerwise.inference import ServerSettings, TrainedModel, create_app, evaluate_chunks
from layerwise.inference.batch_predict import StreamedPredictions
from layerwise.inference.serving.row_log import FILES, RowLog
from layerwise.models.rbm import RBM, RBMConfig


@pytest.fixture
def model(tmp_path):
    return saved(tmp_path / "model", table())


def post(port, frame, **params):
    cells = frame.astype(object).where(frame.notna(), None)
    split = {"columns": list(frame), "data": cells.to_numpy().tolist()}
    return ask(port, body=json.dumps({"dataframe_split": split, "params": params}).encode())


def lines(folder):
    return [json.loads(line) for path in sorted(folder.iterdir()) for line in path.open()]


def test_the_log_has_each_row_with_its_answer_and_nothing_else_of_a_request(model, tmp_path):
    folder = tmp_path / "log"
    frame = table().head(3).drop(columns="left").assign(password="secret", key=[7, 8, 9])
    frame["age"] = frame["age"].astype(object)
    frame.loc[1, "age"] = "old"
    with running(create_app(model, ServerSettings(row_log=str(folder), row_log_columns=("key",)))) as port:
        status, _, text = post(port, frame)
        assert status == 200
        ask(port, body=frame.head(1).to_csv(index=False).encode(), kind="text/csv")
        post(port, frame.head(1), task="explain", samples=2)
    found = lines(folder)
    assert [line["key"] for line in found] == [7, 8, 9, "7"]
    assert set(found[0]) == {"served_at", "key", *model.raw_names} | {
        f"answer.{name}" for name in json.loads(text)["predictions"][0]
    }
    for line, said in zip(found, json.loads(text)["predictions"], strict=False):
        assert {k.removeprefix("answer."): v for k, v in line.items() if k.startswith("answer.")} == said
    assert found[1]["age"] == "old"
    (file,) = folder.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_predict_and_evaluate_read_the_log_as_the_rows_that_were_sent(model, tmp_path):
    folder, frame = tmp_path / "log", table().head(40)
    app = create_app(model, ServerSettings(row_log=str(folder), row_log_columns=("left",)))
    with running(app) as port:
        post(port, frame.head(25))
        for k in range(25, 40):
            ask(port, body=frame.iloc[[k]].to_csv(index=False).encode(), kind="text/csv")
    (log,) = folder.iterdir()
    frame.to_csv(tmp_path / "rows.csv", index=False)
    sent, logged = (evaluate_chunks(model, ChunkedReader(path, 7)) for path in (tmp_path / "rows.csv", log))
    np.testing.assert_array_equal(logged.scores, sent.scores)
    np.testing.assert_array_equal(logged.targets, sent.targets)
    summary = model.preprocessor.state["summary"]
    assert logged.drift(summary) == sent.drift(summary)
    answers = "".join(StreamedPredictions(model, ChunkedReader(log, 7))).splitlines()
    assert len(answers) == 41
    assert not any(line.endswith('"') for line in answers)


def test_old_files_are_removed_so_that_the_bytes_are_bounded(model, tmp_path):
    folder = tmp_path / "log"
    log = RowLog(model, ServerSettings(row_log=str(folder), row_log_bytes=8 * 1024))

    class Chunk:
        rows = table().head(5)

    answer = pd.DataFrame({"prediction": ["no"] * 5})
    for _ in range(30):
        log.note(Chunk, answer, np.full(5, ""))
    sizes = [path.stat().st_size for path in folder.iterdir()]
    assert len(sizes) == FILES
    assert max(sizes) <= 1024
    assert min(sizes) > 0


def test_a_model_that_predicts_nothing_and_a_folder_that_cannot_be_written_are_refused(model, tmp_path):
    network = RBM(RBMConfig(n_visible=model.columns.n_inputs, n_hidden=2))
    rbm = TrainedModel(network, model.preprocessor, model.manifest)
    with pytest.raises(DataError, match="for models that predict, and this one is a rbm"):
        RowLog(rbm, ServerSettings(row_log=str(tmp_path / "log")))
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="cannot be written: File exists"):
        RowLog(model, ServerSettings(row_log=str(tmp_path / "file")))
