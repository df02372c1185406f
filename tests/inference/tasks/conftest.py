import numpy as np
import pandas as pd
import pytest
from helpers.quick_projects import skipped_figures

TABLE = "data/01_raw/forest_fires/forestfires_uci.csv"
QUICK = {"downstream_tasks": False, "probe": False}


@pytest.fixture(scope="session")
def fires(project):
    """A table's RBM and autoencoder, registered as `asked.rbm` and `asked.autoencoder`; return the raw table."""
    rbm = {"epochs": 1, "likelihood": {"method": "none"}, "probe": False, "classification_rbm": False}
    with skipped_figures():
        project.run("rbm", env="forest_fires_size", problem={"name": "asked"}, rbm=rbm)
        project.run("autoencoder", env="forest_fires_size", problem={"name": "asked"}, autoencoder=QUICK)
    return pd.read_csv(project.path / TABLE)


@pytest.fixture(scope="session")
def table_file(project, fires):
    """The file of the raw table."""
    return project.path / TABLE


@pytest.fixture(scope="session")
def images(project):
    """A VAE of the digits, registered as `asked_digits.autoencoder`; return a file of twelve images and the pixels."""
    settings = QUICK | {"variant": "variational"}
    problem = {"name": "asked_digits", "anomalies": ["1"]}
    with skipped_figures():
        project.run("autoencoder", problem=problem, autoencoder=settings)
    raw = project.catalog(problem=problem).load("raw").pixels[:12]
    np.save(project.path / "images.npy", raw)
    names = [f"pixel_{r}_{c}" for r in range(28) for c in range(28)]
    return project.path / "images.npy", pd.DataFrame(raw.reshape(12, -1).astype(float), columns=names)
