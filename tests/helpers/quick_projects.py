"""What makes many small runs in one process quicker, and changes nothing that they do."""

import atexit
import functools
import importlib.util
import os
import shutil
import sys
import tempfile
import weakref
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

import parse
import pytest
from kedro.framework.project import settings
from kedro_viz.integrations.kedro.run_hooks import pipeline_run_hook
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import QueuePool

from layerwise.evaluation.plots.style import SinglePassFigure
from layerwise.pipelines.stage import Stage


@contextmanager
def sessions_begun_quickly():
    """Read Kedro's settings and the catalog's patterns once for all sessions, and look for a missing package once."""
    configure = type(settings).configure

    def configure_once(self, module):
        if not self.configured:
            configure(self, module)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(settings), "configure", configure_once)
        if importlib.util.find_spec("ibis") is None:
            # As an import that has failed: else the whole path is searched anew for each parameter.
            patch.setitem(sys.modules, "ibis", None)
        # The catalog tries each of its patterns on each name, and would make a parser for every try.
        parser = functools.cache(parse.compile)
        patch.setattr(
            "kedro.io.catalog_config_resolver.parse", lambda pattern, name: parser(pattern).parse(name)
        )
        yield


@contextmanager
def files_left_to_the_system():
    """Wait for no disk: what a killed process has written is there, and no test cuts the power."""

    def wait_for_no_disk(connection, _):
        if hasattr(connection, "create_aggregate"):  # SQLite's
            connection.execute("pragma synchronous=off")

    event.listen(Engine, "connect", wait_for_no_disk)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda number: None)
        yield
    event.remove(Engine, "connect", wait_for_no_disk)


class KeptConnections(QueuePool):
    """Connections to a store that are used again, where MLflow would make one, which parses the schema, for each call.

    A forked process leaves those of its parent alone, as runs themselves do by keeping none.
    """

    pools: ClassVar = weakref.WeakSet()
    others: ClassVar = []  # a parent's: closing them would be using them

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.pools.add(self)

    @classmethod
    def close_all(cls):
        """Close what no call uses."""
        for pool in list(cls.pools):
            pool.dispose()


@event.listens_for(KeptConnections, "connect")
def _note_process(_, record):
    record.info["process"] = os.getpid()


@event.listens_for(KeptConnections, "checkout")
def _refuse_a_parents(connection, record, proxy):
    if record.info["process"] != os.getpid():
        KeptConnections.others.append(connection)
        record.dbapi_connection = proxy.dbapi_connection = None
        raise DisconnectionError


def keep_connections():
    """Have MLflow use connections to its stores again, in this process and its forks."""
    from mlflow.store.db import utils

    utils.NullPool = KeptConnections


def forget_earlier_events():
    """Have Kedro-Viz write the events of the next run alone: it keeps those of all runs of a process."""
    pipeline_run_hook._events.clear()


@contextmanager
def short_chains():
    """Take few Gibbs steps to the rows in which training rows are looked for: a thousand take longer than the rest."""
    from layerwise.pipelines import privacy

    steps = privacy.chain_steps
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(privacy, "chain_steps", lambda network, unasked: min(20, steps(network, unasked)))
        yield


@functools.cache
def _empty_store():
    """Make a store of runs; return its file, which goes with the process."""
    from mlflow import MlflowClient

    folder = Path(tempfile.mkdtemp(prefix="empty_store_"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    file = folder / "mlflow.db"
    MlflowClient(f"sqlite:///{file}").search_experiments()
    return file


def put_empty_store(folder):
    """Put a store without runs into a folder: MLflow takes a second for one, as it makes it version by version."""
    shutil.copyfile(_empty_store(), folder / "mlflow.db")


FIGURE, SAVE = Stage.figure, SinglePassFigure.savefig


@contextmanager
def saved_figures():
    """Have a run draw and save its figures, whichever test asks for it first."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Stage, "figure", FIGURE)
        patch.setattr(SinglePassFigure, "savefig", SAVE)
        yield


@contextmanager
def skipped_figures():
    """Have pipelines draw nothing, in tests of what any pipeline does; a white picture stands for each figure."""
    figure = Stage.figure

    def skipped(self, function, inputs, name=None):
        @functools.wraps(function)
        def draw_nothing(*_):
            nothing = SinglePassFigure()
            nothing.set_label(name or function.__name__)
            return nothing

        return figure(self, draw_nothing, inputs, name)

    with pytest.MonkeyPatch.context() as patch, blank_figures():
        patch.setattr(Stage, "figure", skipped)
        yield


@contextmanager
def blank_figures():
    """Save each figure as a white PNG, for runs whose figures no test looks at: drawing takes a third of them."""

    def save(figure, file, **options):
        # Each has its name in it: no two figures of a run are the same file.
        said = PngInfo()
        said.add_text("Title", str(figure.get_label()))
        Image.new("RGB", (300, 300), "white").save(file, format="png", pnginfo=said)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SinglePassFigure, "savefig", save)
        yield
