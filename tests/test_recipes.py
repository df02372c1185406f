"""The recipes of CONTRIBUTING.md, done as they are written: in process, or in a changed copy of the package."""

import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from helpers import cluster_recipe
from pydantic import Field
from torch import nn

import layerwise
from layerwise.data import ColumnBlock, DataSpec, TensorData
from layerwise.evaluation.likelihood.partition import exact_log_partition
from layerwise.models import load_network, register_network, save_network
from layerwise.models.kinds import KINDS
from layerwise.models.rbm import DBN, RBM, DBNConfig, RBMConfig, rbm_sites, slices_of_states
from layerwise.models.rbm.units import HIDDEN, VISIBLE, UnitBlock, Units, register_units
from layerwise.training.gan import GANObjective, RingSettings, register_objective, train_ring_gan
from layerwise.training.gan.objectives.base import OBJECTIVES
from layerwise.training.rbm import PretrainingSettings, RBMTrainingSettings, fit_rbm, rbm_config
from layerwise.utils import Choice, Config
from layerwise.utils.registry import import_registrants

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src/layerwise"
TEXT = (ROOT / "CONTRIBUTING.md").read_text()

# "Add a pipeline", "Add a parameter", "Add a figure": three files of a new folder, and a line in two others.
NODES = '''
"""Nodes that count rows."""

import numpy as np
from matplotlib.figure import Figure

from layerwise.evaluation.plots import plot_bars
from layerwise.parameters.counting import CountingSettings


def count_rows(raw, settings: CountingSettings) -> str:
    """Return a report of the classes that have enough rows."""
    assert isinstance(settings, CountingSettings)
    counts = np.bincount(raw.labels)
    return f"{int((counts >= settings.least).sum())} classes of {settings.least} rows or more"


def plot_classes(raw) -> Figure:
    """Plot the rows of each class."""
    return plot_bars(np.bincount(raw.labels))
'''
PIPELINE = '''
"""Count the rows."""

from kedro.pipeline import Pipeline

from layerwise.pipelines.counting import nodes
from layerwise.pipelines.stage import Stage


def create_pipeline() -> Pipeline:
    """Return the pipeline."""
    stage = Stage("reporting", "counting")
    return Pipeline(
        [
            stage.node(nodes.count_rows, ["raw", "params:counting"], "report"),
            stage.figure(nodes.plot_classes, ["raw"]),
        ]
    )
'''
SETTINGS = '''
"""Settings of the pipeline counting."""

from layerwise.utils import Config, setting


class CountingSettings(Config):
    """What is counted."""

    least: int = setting(100, "rows of a class that counts", ge=1)
'''
FIGURE = '''
"""Bars."""

from matplotlib.figure import Figure

from layerwise.evaluation.plots.style import cycle_color, new_figure, style_axes


def plot_bars(heights) -> Figure:
    """Plot a bar for each height."""
    figure = new_figure(4, 3)
    style_axes(figure.subplots(), xlabel="class", ylabel="rows").bar(range(len(heights)), heights, color=cycle_color(0))
    return figure
'''
# "Add an autoencoder variant": one file where settings alone differ, two for a network of another kind.
NARROW = '''
"""A narrow latent."""

from layerwise.training.autoencoder import register_variant
from layerwise.training.autoencoder.variants.feedforward import SMOOTH, FeedforwardVariant
from layerwise.utils import Choice

narrow = Choice("a latent of three units", "to draw it")
register_variant(FeedforwardVariant("narrow", narrow, {"latent_size": 3, **SMOOTH}, in_stacks=True))
'''
PROJECTION_NETWORK = '''
"""A linear projection."""

from typing import Literal

import torch
from torch import nn

from layerwise.models import register_network
from layerwise.models.autoencoder import BaseAutoencoder
from layerwise.models.heads import LossName, OutputName, build_output
from layerwise.utils import Config


class ProjectionConfig(Config):
    """The shape."""

    kind: Literal["projection"] = "projection"
    n_inputs: int
    latent_size: int
    loss: LossName
    output: OutputName


@register_network(ProjectionConfig)
class Projection(BaseAutoencoder):
    """Latents x W, reconstructions of z W^T."""

    def __init__(self, config, rng=None):
        super().__init__()
        self.config, self.output = config, build_output(config.loss, config.output)
        self.weight = nn.Parameter(torch.zeros(config.n_inputs, config.latent_size))
        if rng is not None:
            nn.init.normal_(self.weight, std=0.01, generator=rng)

    def encode(self, x):
        """Return latents (rows, latent_size)."""
        return x @ self.weight

    def decode_pre_activation(self, latent):
        """Return pre-activations (rows, n_inputs)."""
        return latent @ self.weight.t()
'''
PROJECTION_VARIANT = '''
"""Principal components by gradient."""

from layerwise.models.autoencoder.projection import Projection, ProjectionConfig
from layerwise.training.autoencoder import ReconstructionVariant, register_variant, select_output
from layerwise.utils import Choice


class ProjectionVariant(ReconstructionVariant):
    """One matrix, used twice."""

    def build(self, settings, columns, rng):
        """Return the untrained network."""
        loss, output, _ = select_output(settings, columns, self.name)
        size = settings.resolved(self.name)["latent_size"]
        shape = ProjectionConfig(n_inputs=columns.n_inputs, latent_size=size, loss=loss, output=output)
        return Projection(shape, rng)


register_variant(ProjectionVariant("projection", Choice("one matrix"), {"latent_size": 4}))
'''
# "Add a GAN objective": one file.
LOGISTIC = '''
"""As non_saturating, with scores for its value."""

from layerwise.training.gan import register_objective
from layerwise.training.gan.objectives.cross_entropy import NonSaturatingObjective
from layerwise.utils import Choice


class LogisticObjective(NonSaturatingObjective):
    """V = E s(x) - E s(G(z))."""

    def real_value(self, scores):
        """Return s."""
        return scores

    def fake_value(self, scores):
        """Return -s."""
        return -scores


register_objective(LogisticObjective("logistic", Choice("as non_saturating")))
'''
NEW_FILES = {
    "training/gan/objectives/logistic.py": LOGISTIC,
    "training/autoencoder/variants/narrow.py": NARROW,
    "models/autoencoder/projection.py": PROJECTION_NETWORK,
    "training/autoencoder/variants/projection.py": PROJECTION_VARIANT,
    "pipelines/counting/__init__.py": "from layerwise.pipelines.counting.pipeline import create_pipeline\n",
    "pipelines/counting/nodes.py": NODES,
    "pipelines/counting/pipeline.py": PIPELINE,
    "parameters/counting.py": SETTINGS,
    "evaluation/plots/bars.py": FIGURE,
    **cluster_recipe.NEW_FILES,
}
# File: the text that stands there, and what a recipe puts in its place.
CHANGES = {
    "pipeline_registry.py": [('    "dbn", "mlp",', '    "counting", "clusters", "dbn", "mlp",')],
    "parameters/keys.py": [
        (
            '    "predict": PredictSettings,',
            '    "counting": CountingSettings,\n    "predict": PredictSettings,',
        ),
        (
            "from layerwise.parameters.evaluation",
            "from layerwise.parameters.counting import CountingSettings\nfrom layerwise.parameters.evaluation",
        ),
    ],
    "evaluation/plots/__init__.pyi": [
        ("from .drift import", "from .bars import plot_bars as plot_bars\nfrom .drift import")
    ],
    # "Add a metric"
    "evaluation/metrics/statistics.py": [
        (
            "    sums: dict[str, Statistic] = {\n",
            "    sums: dict[str, Statistic] = {\n"
            '        "wrong_rows": lambda weights: weights.sum(1) - weights @ right,\n',
        )
    ],
    "evaluation/metrics/supervised.py": [
        ('LOWER_IS_BETTER = {"error",', 'LOWER_IS_BETTER = {"wrong_rows", "error",')
    ],
    **cluster_recipe.CHANGES,
}
# What a reader of the recipes then does in the copy; it prints what came of it.
SCRIPT = """
import json, runpy, sys
from pathlib import Path

import layerwise
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from layerwise.evaluation.metrics import compute_metrics
from layerwise.models import load_network
from layerwise.datasets import EmbeddedDigits
import torch

assert Path(layerwise.__file__).is_relative_to(Path.cwd())
# `make parameters`
sys.path.insert(0, "docs")
for name, page in (("parameters", "conf/base/parameters.yml"), ("hyperparameters", "docs/hyperparameters.md")):
    sys.argv = [name, page]
    runpy.run_path(f"docs/make_{name}.py", run_name="__main__")
bootstrap_project(Path.cwd())


def run(pipeline, to_nodes=None, env=None, **params):
    with KedroSession.create(Path.cwd(), env=env, save_on_close=False, runtime_params=params) as session:
        session.run(pipeline_names=[pipeline], to_nodes=to_nodes)


run("counting", counting={"least": 500})
run("clusters", problem={"name": "clustered"})
rows = EmbeddedDigits().load().pixels[:1000].reshape(1000, -1)
clusters = layerwise.load("clustered.clusters@champion").ask("assign", rows)["cluster"]
Path("clusters.json").write_text(json.dumps(clusters.tolist()))
small = {"epochs": 1, "rows": 200, "seeds": 1, "variants": [], "hidden_sizes": [8], "batch_size": 100}
run("gan_ring", ring={"objective": "logistic", **small})
run("autoencoder", ["training.train_autoencoder_autoencoder"], autoencoder={"variant": "narrow", "epochs": 1})
# A small table goes through every stage, and no downstream task of images takes its time.
small = {"variant": "projection", "loss": "squared", "epochs": 1, "bootstrap": 0}
run("autoencoder", env="forest_fires", problem={"name": "projected"}, autoencoder=small)
saved = load_network("data/06_models/projected/autoencoder/autoencoder_network")
print(type(saved).__name__, tuple(saved.reconstruct(torch.rand(5, 28)).shape))
metric = compute_metrics("binary", [0, 1, 1, 0], [[0.9], [0.8], [0.1], [0.2]], n_bootstrap=20)["wrong_rows"]
print("RESULT", json.dumps(metric.model_dump()))
"""


@pytest.fixture(scope="module")
def changed(tmp_path_factory):
    """A copy of the project after the recipes, what its script printed, and what `make parameters` wrote."""
    project = tmp_path_factory.mktemp("recipes")
    ignored = shutil.ignore_patterns("__pycache__")
    for name in ("src", "conf", "docs"):
        shutil.copytree(ROOT / name, project / name, ignore=ignored)
    for name in ("pyproject.toml", ".telemetry"):
        shutil.copy(ROOT / name, project)
    shutil.copytree(ROOT / "data/01_raw/forest_fires", project / "data/01_raw/forest_fires")
    package = project / "src/layerwise"
    for name, text in NEW_FILES.items():
        (package / name).parent.mkdir(exist_ok=True)
        (package / name).write_text(text.lstrip())
    for name, changes in CHANGES.items():
        text = (package / name).read_text()
        for old, new in changes:
            assert text.count(old) == 1, (name, old)
            text = text.replace(old, new)
        (package / name).write_text(text)

    environment = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(project),
        "PYTHONPATH": str(package.parent),
        "OMP_NUM_THREADS": "1",
        "DO_NOT_TRACK": "true",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }
    with (project / "conf/base/catalog.yml").open("a") as catalog:
        catalog.write(cluster_recipe.CATALOG)
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=project, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    assert "Projection (5, 28)" in done.stdout
    return project, json.loads(done.stdout.split("RESULT", 1)[1])


def test_a_new_pipeline_is_found_and_leaves_its_report_in_its_place(changed):
    project, _ = changed
    report = project / "data/08_reporting/digits/counting/report.md"
    assert report.read_text() == "10 classes of 500 rows or more"


def test_a_new_model_with_a_plan_and_a_task_is_registered_and_answers(changed):
    project, _ = changed
    clusters = json.loads((project / "clusters.json").read_text())
    assert len(clusters) == 1000
    assert len(set(clusters)) > 1
    metrics = json.loads((project / "data/08_reporting/clustered/clusters/metrics_centers.json").read_text())
    assert metrics[0]["name"] == "test/distance"
    card = (project / "data/08_reporting/clustered/clusters/model_card.md").read_text()
    assert card.startswith("# Model card of cluster centers\n")


def test_a_new_figure_is_a_file_and_an_artifact_of_the_run(changed):
    project, _ = changed
    assert (project / "data/08_reporting/digits/counting/classes.png").stat().st_size > 1000
    assert list(project.glob("mlruns/**/artifacts/figures/classes.png"))


def test_a_new_parameter_is_written_with_its_default_and_meaning(changed):
    project, _ = changed
    assert "  least: 100  # rows of a class that counts" in (project / "conf/base/parameters.yml").read_text()
    assert (
        "| `counting.least` | rows of a class that counts"
        in (project / "docs/hyperparameters.md").read_text()
    )


def test_a_new_metric_has_its_interval_and_its_direction(changed):
    _, metric = changed
    assert (metric["value"], metric["better"]) == (2.0, "lower")
    assert 0 <= metric["low"] <= metric["value"] <= metric["high"] <= 4


def test_a_new_variant_of_one_file_trains_and_is_saved_with_its_defaults(changed):
    project, _ = changed
    network = load_network(project / "data/06_models/digits/autoencoder/autoencoder_network")
    assert network.config.latent_size == 3
    assert network.config.latent_activation == "linear"
    assert (
        "| `narrow` | a latent of three units | to draw it |"
        in (project / "docs/hyperparameters.md").read_text()
    )


def test_a_new_variant_of_two_files_runs_through_the_whole_pipeline(changed):
    project, _ = changed
    shape = json.loads(
        (project / "data/06_models/projected/autoencoder/autoencoder_network/network.json").read_text()
    )
    assert (shape["kind"], shape["latent_size"]) == ("projection", 4)
    assert (project / "data/08_reporting/projected/autoencoder/reconstruction_metrics.json").exists()


def test_a_new_objective_trains_a_gan(changed):
    project, _ = changed
    (run,) = json.loads((project / "data/07_model_output/digits/gan_ring/ring_results.json").read_text())
    assert np.isfinite(run["last"]["train/generator_loss"])
    assert "| `logistic` | as non_saturating |" in (project / "docs/hyperparameters.md").read_text()


class SquaredHinge(GANObjective):
    """Margins as the hinge has them, squared."""

    def real_loss(self, scores, smoothing):
        return torch.relu(1 - scores).square()

    def fake_loss(self, scores):
        return torch.relu(1 + scores).square()

    def generator_loss(self, scores):
        return -scores

    def after_discriminator_step(self, discriminator, settings):
        with torch.no_grad():
            for parameter in discriminator.parameters():
                parameter.clamp_(-settings.weight_clip, settings.weight_clip)


def test_an_objective_of_another_distribution_trains_is_saved_and_samples(tmp_path, monkeypatch):
    class Entry:
        def load(self):
            register_objective(
                SquaredHinge("squared_hinge", Choice("the hinge, squared"), own_settings=("weight_clip",))
            )

    with pytest.raises(ValueError, match="Input should be 'hinge'"):
        RingSettings(objective="squared_hinge")
    monkeypatch.setattr(OBJECTIVES, "entries", OBJECTIVES.all())
    monkeypatch.setattr(
        "layerwise.utils.registry.entry_points",
        lambda group: [Entry()] * (group == "layerwise.gan_objectives"),
    )
    import_registrants.cache_clear()  # a process looks for them once
    try:
        settings = RingSettings(
            objective="squared_hinge",
            weight_clip=0.05,
            epochs=2,
            rows=300,
            hidden_sizes=(16,),
            batch_size=100,
        )
    finally:
        import_registrants.cache_clear()
    with pytest.raises(ValueError, match="no use for gradient_penalty: it belongs to wasserstein_penalty"):
        RingSettings(objective="squared_hinge", gradient_penalty=1.0)
    result = train_ring_gan(settings, seed=0)
    largest = max(float(p.detach().abs().max()) for p in result.discriminator.parameters())
    assert largest == pytest.approx(0.05)
    for epoch in result.history:  # the value of the class that is the base: minus both losses
        assert epoch["train/value"] == pytest.approx(-epoch["train/discriminator_loss"], rel=1e-5)
    save_network(result.generator, tmp_path)
    found = load_network(tmp_path).sample(5, torch.Generator().manual_seed(1))
    assert torch.equal(found, result.generator.sample(5, torch.Generator().manual_seed(1)))


class SpinUnits(Units):
    """Units of an Ising model, -1 or 1: p(v = 1) = sigmoid(2 x)."""

    tempers = in_blocks = in_stacks = True

    def mean(self, x, observation_counts=None):
        return torch.tanh(x)

    def sample(self, mean, rng):
        return 2.0 * torch.bernoulli((mean + 1) / 2, generator=rng) - 1

    def free_energy_term(self, v, bias):
        return -(v @ bias)

    def log_partition(self, x, bias):
        return torch.logaddexp(x, -x).sum(1)

    def loss(self, x, v):
        return torch.nn.functional.softplus(-2 * x * v).sum(1)

    def initial_bias(self, inputs):
        return torch.atanh(inputs.mean(0).clamp(-0.99, 0.99))

    def sites(self, n_units):
        return [torch.tensor([[-1.0], [1.0]])] * n_units


@pytest.fixture
def spins(monkeypatch):
    """Spins as another distribution's entry point registers them."""

    class Entry:
        def load(self):
            register_units(visible="spins", hidden="spins")(SpinUnits)

    with pytest.raises(ValueError, match="Input should be 'bernoulli', 'categorical', 'gaussian' or 'nrelu'"):
        RBMConfig(n_visible=4, n_hidden=3, hidden="spins")
    for registry in (VISIBLE, HIDDEN):
        monkeypatch.setattr(registry, "entries", registry.all())
    monkeypatch.setattr(
        "layerwise.utils.registry.entry_points", lambda group: [Entry()] * (group == "layerwise.rbm_units")
    )
    import_registrants.cache_clear()  # a process looks for them once
    VISIBLE.all()
    yield
    import_registrants.cache_clear()


def spin_rows(n):
    """Rows (n, 4) whose first two spins agree, as the last two do."""
    halves = torch.randint(0, 2, (n, 2), generator=torch.Generator().manual_seed(3)) * 2.0 - 1
    return TensorData(halves.repeat_interleave(2, 1))


def test_units_of_another_distribution_learn_are_saved_and_sample(spins, tmp_path):
    columns = DataSpec(
        task="multiclass",
        n_inputs=4,
        n_outputs=2,
        feature_names=("a", "b", "c", "d"),
        target_names=("class",),
        class_names=("a", "b"),
        blocks=(ColumnBlock(name="spins", kind="real", start=0, stop=4),),
    )
    settings = RBMTrainingSettings(
        visible="spins",
        hidden="spins",
        n_hidden=3,
        epochs=40,
        batch_size=50,
        learning_rate=0.1,
        final_learning_rate=0.0,
        chain="tempered",
    )
    config = rbm_config(columns, settings)
    assert (config.visible, config.hidden) == ("spins", "spins")
    rbm = RBM(config, torch.Generator().manual_seed(0))
    fit_rbm(rbm, spin_rows(1000), spin_rows(200), settings, seed=0)
    save_network(rbm, tmp_path)
    found = load_network(tmp_path)
    assert type(found.visible_units) is SpinUnits
    samples = found.gibbs(spin_rows(2000).inputs, 20, torch.Generator().manual_seed(1))
    assert set(samples.unique().tolist()) == {-1.0, 1.0}
    agree = (samples[:, 0] == samples[:, 1]).float().mean()
    assert float(agree) > 0.9  # 0.5 without learning
    assert float((samples[:, 0] == samples[:, 2]).float().mean()) == pytest.approx(0.5, abs=0.1)


def test_their_free_energy_and_partition_function_are_those_of_the_states_listed(spins):
    rbm = RBM(RBMConfig(n_visible=4, n_hidden=3, visible="spins", hidden="spins")).double()
    for value in rbm.parameters():
        value.normal_(0, 0.7, generator=torch.Generator().manual_seed(2))
    v, h = (torch.cat(list(slices_of_states(sites, rbm.weight))) for sites in rbm_sites(rbm))
    energies = -(v @ rbm.visible_bias)[:, None] - (h @ rbm.hidden_bias)[None] - v @ rbm.weight @ h.T
    torch.testing.assert_close(rbm.free_energy(v), -torch.logsumexp(-energies, 1))
    mean = (h[None] * torch.softmax(-energies, 1)[:, :, None]).sum(1)
    torch.testing.assert_close(rbm.hidden_mean(v), mean)
    assert float(exact_log_partition(rbm)) == pytest.approx(float((-energies).logsumexp((0, 1))))


def test_they_stand_in_stacks_and_beside_other_units(spins):
    stack = DBN(
        DBNConfig(n_visible=4, hidden_sizes=(3, 2), visible="spins"), torch.Generator().manual_seed(0)
    )
    samples = stack.visible_units.sample(stack.reconstruct(spin_rows(9).inputs), torch.Generator())
    assert set(samples.unique().tolist()) == {-1.0, 1.0}
    assert PretrainingSettings(visible="spins").visible == "spins"
    blocks = (UnitBlock(kind="spins", size=2), UnitBlock(kind="bernoulli", size=1))
    mixed = RBM(RBMConfig(n_visible=3, n_hidden=2, visible="mixed", blocks=blocks))
    mean = mixed.visible_units.mean(torch.tensor([[-9.0, 9.0, -9.0]]))
    torch.testing.assert_close(mean, torch.tensor([[-1.0, 1.0, 0.0]]), atol=1e-3, rtol=0)


def test_a_copied_folder_and_a_file_of_ones_own_are_a_problem(fresh_project):
    rng = np.random.default_rng(0)
    size, weight = rng.normal(5, 1, 300).round(2), rng.normal(5, 1, 300).round(2)
    rings = np.where(size + weight > 10, "many", "few")  # neither column alone decides it
    soil = rng.choice(["clay", "sand"], 300)
    table = pd.DataFrame({"Id": range(300), "Size": size, "Weight": weight, "Soil": soil, "Rings": rings})
    path = fresh_project.path
    (path / "data/01_raw/shells").mkdir()
    table.to_csv(path / "data/01_raw/shells/shells.csv", index=False)
    shutil.copytree(ROOT / "conf/churn", path / "conf/shells")
    (path / "conf/shells/catalog.yml").write_text(
        "raw:\n  type: layerwise.datasets.SourceTable\n  path: data/01_raw\n  file:\n    name: shells/shells.csv\n"
    )
    (path / "conf/shells/parameters.yml").write_text(
        "problem:\n  name: shells\n  task: binary\n  target: Rings\n  positive: many\n  drop: [Id]\n"
        "finetuning:\n  optimizer: adamw\n"
    )
    fresh_project.run("mlp", env="shells", mlp={"hidden_sizes": [8]}, finetuning={"epochs": 20})
    metrics = fresh_project.json("08_reporting/shells/mlp/metrics.json")["network"]
    assert metrics["accuracy"]["value"] > metrics["accuracy"]["base_rate"] + 0.2
    assert fresh_project.last_run()[1] == "FINISHED"


class ScaledConfig(Config):
    """The shape of a network that scales its inputs."""

    kind: str = "scaled"
    n_inputs: int = Field(ge=1)


class Scaled(nn.Module):
    """Scale each input."""

    def __init__(self, config, rng=None):
        super().__init__()
        self.config = config
        self.scale = nn.Parameter(torch.randn(config.n_inputs, generator=rng))

    def forward(self, x):
        return self.scale * x


def test_a_model_that_is_registered_is_saved_and_read(tmp_path, monkeypatch):
    network = Scaled(ScaledConfig(n_inputs=3), torch.Generator().manual_seed(0))
    save_network(network, tmp_path)
    with pytest.raises(ValueError, match="unknown kind of network 'scaled'"):
        load_network(tmp_path)
    monkeypatch.setattr(KINDS, "entries", KINDS.all())
    assert register_network(ScaledConfig)(Scaled) is Scaled
    found = load_network(tmp_path)
    assert type(found) is Scaled
    assert torch.equal(found(torch.ones(2, 3)), network(torch.ones(2, 3)))


def test_every_file_and_name_in_the_recipes_is_there():
    recipes = TEXT.split("## Add a problem")[1]
    folders = [SOURCE, ROOT, *(SOURCE / name for name in ("training/autoencoder", "pipelines/autoencoder"))]
    files = re.findall(r"`([\w./]+\.(?:py|yml|md|toml))`", recipes)
    written_by_a_reader = {
        "nodes.py",
        "pipeline.py",
        "catalog.yml",
        "parameters.yml",
        "__init__.py",
        "figure_nodes.py",
    }
    assert len(files) > 30
    missing = {f for f in files if not any((folder / f).exists() for folder in folders)} - written_by_a_reader
    assert missing == set()
    # "`NAME` of `file`", "`NAME` in `file`"
    for name, file in re.findall(r"`(\w+)` (?:of|in)\s+`([\w./]+\.py)`", recipes):
        path = next(folder / file for folder in folders if (folder / file).exists())
        assert re.search(rf"^(class |def )?{name}\b", path.read_text(), re.MULTILINE), (name, file)


def test_the_version_stands_the_same_in_both_places():
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert layerwise.__version__ == declared
