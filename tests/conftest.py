"""A small Kedro project to run pipelines in: this one's configuration and code, data and runs of its own."""

import json
import os
import sqlite3
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest

# One thread for each of the test workers: small products gain nothing from more.
os.environ.update(DO_NOT_TRACK="true", MLFLOW_DISABLE_TELEMETRY="true", OMP_NUM_THREADS="1")

ROOT = Path(__file__).parent.parent

# A digit network that learns something within seconds.
SMALL = {
    "dbn": {"hidden_sizes": [40, 30]},
    "mlp": {"hidden_sizes": [40, 30]},
    "pretraining": {"epochs": 2},
    "rbm": {
        "n_hidden": 40,
        "epochs": 4,
        "samples": 9,
        "sampling_steps": 3,
        "pseudo_likelihood_rows": 5,
        "bootstrap": 20,
        "likelihood": {"chains": 10, "temperatures": 30, "reverse_steps": 5},
    },
    "gan": {
        "generator_sizes": [32],
        "discriminator_sizes": [32],
        "latent_size": 8,
        "epochs": 3,
        "samples": 200,
        "feature_classifier_epochs": 3,
        "baseline_epochs": 1,
    },
    "ring": {"epochs": 2, "seeds": 1, "rows": 1000, "hidden_sizes": [16]},
    "gan_applications": {"epochs": 2, "hidden_sizes": [32], "rows": 300, "demo_epochs": 2},
    "autoencoder": {"epochs": 2, "likelihood_samples": 20, "likelihood_rows": 50, "bootstrap": 20},
    "sae": {"hidden_sizes": [40, 30], "unrolled_epochs": 2, "learning_rate": 0.01},
    "finetuning": {"epochs": 3, "learning_rate": 0.01, "batch_size": 50},
    "evaluation": {"bootstrap": 20, "samples": 9, "sampling_steps": 3},
}


def merge(first, second):
    """Return nested dicts, the second's values before the first's."""
    both = dict(first)
    for key, value in second.items():
        both[key] = merge(both.get(key, {}), value) if isinstance(value, dict) else value
    return both


class Project:
    """A copy of the project's frame, with runs of its own."""

    def __init__(self, path: Path) -> None:
        from helpers.quick_projects import keep_connections, put_empty_store

        self.path = path
        keep_connections()
        put_empty_store(path)
        for name in ("pyproject.toml", ".telemetry"):
            (path / name).symlink_to(ROOT / name)
        # Kedro wants the source folder itself inside the project.
        (path / "src").mkdir()
        (path / "src/layerwise").symlink_to(ROOT / "src/layerwise")
        (path / "conf").mkdir()
        for folder in (ROOT / "conf").iterdir():
            (path / "conf" / folder.name).symlink_to(folder)
        (path / "data/01_raw").mkdir(parents=True)
        (path / "data/01_raw/forest_fires").symlink_to(ROOT / "data/01_raw/forest_fires")

    def session(self, env=None, **params):
        """Return a session with small networks, and with the parameters given."""
        from kedro.framework.session import KedroSession
        from kedro.framework.startup import bootstrap_project

        bootstrap_project(self.path)
        return KedroSession.create(
            self.path, env=env, save_on_close=False, runtime_params=merge(SMALL, params)
        )

    def run(self, pipeline="dbn", env=None, runner=None, to_nodes=None, from_nodes=None, tags=None, **params):
        """Run a pipeline, or a list of them, in this process."""
        from helpers.quick_projects import forget_earlier_events, short_chains

        forget_earlier_events()
        with self.session(env, **params) as session, short_chains():
            return session.run(
                pipeline_names=[pipeline] if isinstance(pipeline, str) else pipeline,
                runner=runner,
                to_nodes=to_nodes,
                from_nodes=from_nodes,
                tags=tags,
            )

    def catalog(self, env=None, **params):
        """Return the catalog of a session."""
        with self.session(env, **params) as session:
            return session.load_context().catalog

    def query(self, sql, *values):
        """Ask the tracking database."""
        with sqlite3.connect(self.path / "mlflow.db") as database:
            return database.execute(sql, values).fetchall()

    def last_run(self):
        """Return the id and status of the run that started last."""
        return self.query("select run_uuid, status from runs order by start_time desc limit 1")[0]

    def json(self, path):
        """Return a JSON file below data/."""
        return json.loads((self.path / "data" / path).read_text())


@pytest.fixture(scope="session", autouse=True)
def runs_begin_and_end_quickly():
    """Reads the same settings in session after session without parsing them again, and waits for no disk."""
    from helpers.quick_configuration import files_parsed_once
    from helpers.quick_projects import files_left_to_the_system, sessions_begun_quickly

    with files_parsed_once(), sessions_begun_quickly(), files_left_to_the_system():
        yield


def stands_in(request, folders):
    """Whether what asks stands in a file below one of these folders."""
    return not {parent.name for parent in request.path.parents}.isdisjoint(folders)


def of_a_pipeline(request):
    """Whether what asks is among the tests of pipelines and of commands, whose runs draw and save blank."""
    return stands_in(request, ["pipelines"]) or request.path.parent == ROOT / "tests"


# Folders whose tests look at no figure, nor at the drawing of one, that a run of theirs makes.
WITHOUT_FIGURES = ("checkpointing", "cli", "inference", "parameters", "sweeping", "tracking", "training")


@pytest.fixture(scope="module", autouse=True)
def figures_are_drawn_where_they_are_looked_at(request):
    """Leaves out the figures of some tests' runs, and of their modules'; fixtures of the whole session choose.

    Those of a pipeline's runs are drawn, and saved blank. A module with a test that is marked `figures` has them all.
    """
    from helpers.quick_projects import blank_figures, skipped_figures

    own = [item for item in request.session.items if item.path == request.path]
    if any(item.get_closest_marker("figures") for item in own):
        chosen = nullcontext()
    elif stands_in(request, WITHOUT_FIGURES):
        chosen = skipped_figures()
    else:
        chosen = blank_figures() if of_a_pipeline(request) else nullcontext()
    with chosen:
        yield


@pytest.fixture(autouse=True)
def a_tests_own_runs_draw_what_it_looks_at(request):
    """Saves the figures of a pipeline's or command's test's own runs blank unless it is marked `figures`.

    They are drawn all the same, by which every setting's figures are tried.
    """
    from helpers.quick_projects import blank_figures

    blank = of_a_pipeline(request) and not request.node.get_closest_marker("figures")
    with blank_figures() if blank else nullcontext():
        yield


@pytest.fixture(autouse=True)
def the_next_test_has_no_server_of_this_one():
    """Has MLflow forget the server that a test named to it, and its connections, kept for the whole process."""
    from helpers.quick_projects import KeptConnections

    yield
    KeptConnections.close_all()
    if "mlflow" in sys.modules:
        sys.modules["mlflow"].set_tracking_uri(None)


@pytest.fixture(scope="session")
def project(tmp_path_factory):
    """A project that all tests share; each test says what it runs."""
    patch = pytest.MonkeyPatch()
    patch.delenv("MLFLOW_TRACKING_URI", raising=False)
    patch.delenv("LAYERWISE_DATA", raising=False)
    path = tmp_path_factory.mktemp("project")
    patch.chdir(path)
    yield Project(path)
    patch.undo()


@pytest.fixture
def fresh_project(tmp_path, monkeypatch):
    """A project of a test's own, which it may change."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.delenv("LAYERWISE_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    return Project(tmp_path)


@pytest.fixture(scope="session")
def finished(project):
    """The shared project after one small run of the deep belief network on the embedded digits, with its figures."""
    from helpers.quick_projects import saved_figures

    with saved_figures():
        project.run("dbn")
    return project


@pytest.fixture(scope="session")
def tables():
    """The module tests/helpers/tables.py: a small table, and an untrained network saved for it."""
    from helpers import tables

    return tables


# Files whose few tests take long; begun last, they would keep one worker busy after the others have ended.
LONG_FILES = ("test_notebooks.py", "test_command_line.py", "test_killed_runs.py", "test_viz.py")


def pytest_collection_modifyitems(items):
    """Begin with the files that take longest; a file's tests stay together and in their order."""
    order = {name: k for k, name in enumerate(LONG_FILES)}
    items.sort(key=lambda item: order.get(item.path.name, len(order)))
