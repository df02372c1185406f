"""The gan pipelines on small real data."""

import math

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from helpers.killed_runs import run_of
from PIL import Image

from layerwise.models import load_network

FIGURES = ("classes", "learning_curves", "memorization", "sample_progress", "samples")


@pytest.fixture(scope="module")
def trained(project):
    project.run("gan", problem={"name": "gan_digits"}, gan={"condition": "class"}, synthesize=30)
    return project


def report(project, name, problem="gan_digits", pipeline="gan"):
    return project.json(f"08_reporting/{problem}/{pipeline}/{name}.json")


def test_the_card_and_the_page_have_what_was_measured(trained):
    folder = trained.path / "data/08_reporting/gan_digits/gan"
    measured = {each["name"]: each["value"] for each in report(trained, "metrics_sample")}
    distance = f"{measured['test/frechet_distance']:.5g}"
    card, page = (folder / "model_card.md").read_text(), (folder / "report.html").read_text()
    assert "# Model card of a generative adversarial network" in card
    assert f"| frechet_distance | {distance} |" in card
    assert "| `gan.latent_size` | `8` |" in card
    assert "`gan.weight_clip`" not in card  # another objective's
    assert f"<td>{distance}</td>" in page
    animation = [each.name for each in (folder / "animation").iterdir()]
    assert page.count("<img ") == len(list(folder.glob("*.png"))) + len(animation)
    assert all(f'src="animation/{name}"' in page for name in animation)
    assert "## Samples" not in page
    assert "<h2>Samples</h2>" in page  # of the report


@pytest.mark.figures
@pytest.mark.parametrize("figure", FIGURES)
def test_each_figure_is_plotted_and_kept_with_the_run(trained, figure):
    with Image.open(trained.path / f"data/08_reporting/gan_digits/gan/{figure}.png") as image:
        assert image.width > 300
    run, status = run_of(trained, "gan_digits")
    assert status == "FINISHED"
    assert list((trained.path / "mlruns").glob(f"**/{run}/artifacts/figures/{figure}.png"))


def test_the_animation_and_its_frames_are_kept_with_the_run(trained):
    run, _ = run_of(trained, "gan_digits")
    kept = sorted(p.name for p in (trained.path / "mlruns").glob(f"**/{run}/artifacts/animation/*"))
    assert kept == ["animation.gif", "epoch_0000.png", "epoch_0001.png", "epoch_0002.png", "epoch_0003.png"]
    with Image.open(trained.path / "data/08_reporting/gan_digits/gan/animation/animation.gif") as animation:
        assert animation.n_frames == 4


def test_the_history_holds_every_epoch(trained):
    history = trained.json("07_model_output/gan_digits/gan/gan_history.json")
    assert len(history["epochs"]) == 3
    for name in ("value", "d_of_x", "d_of_g", "discriminator_loss", "generator_loss"):
        assert all(math.isfinite(epoch[f"train/{name}"]) for epoch in history["epochs"])
    for epoch in history["epochs"]:
        # V is at most 0, and the discriminator's loss is its negative.
        assert epoch["train/value"] < 0
        assert epoch["train/discriminator_loss"] == pytest.approx(-epoch["train/value"], rel=1e-4)
    run, _ = run_of(trained, "gan_digits")
    counted = "select count(*) from metrics where key = 'train/generator_gradient' and run_uuid = ?"
    assert trained.query(counted, run)[0][0] == 3


def test_every_generator_is_evaluated_by_the_same_metrics(trained):
    found = report(trained, "sample_metrics") | report(trained, "baseline_metrics")
    assert set(found) == {"gan", "vae, 1 epochs", "training mean", "training rows"}
    assert found["training rows"]["frechet_distance"] < 0.2 * found["training mean"]["frechet_distance"]
    assert found["training mean"]["coverage"] < 0.2
    assert found["training rows"]["memorization"]["ratio"] < 0.01  # training rows are copies of training rows
    for each in found.values():
        assert sum(each["class_fractions"]) == pytest.approx(1)
    tracked = trained.query(
        "select distinct key from metrics where key in ('test/frechet_distance', 'test/parzen_log_prob') "
        "and run_uuid = ?",
        run_of(trained, "gan_digits")[0],
    )
    assert len(tracked) == 2
    text = (trained.path / "data/08_reporting/gan_digits/gan/report.md").read_text()
    assert "a classifier that was trained on this problem's training rows" in text


def test_the_stored_generator_samples_images(trained):
    generator = load_network(trained.path / "data/06_models/gan_digits/gan/generator")
    condition = torch.eye(10)
    first = generator.sample(10, torch.Generator().manual_seed(0), condition)
    assert first.shape == (10, 784)
    assert 0 <= float(first.min()) <= float(first.max()) <= 1
    assert torch.equal(first, generator.sample(10, torch.Generator().manual_seed(0), condition))
    discriminator = load_network(trained.path / "data/06_models/gan_digits/gan/discriminator")
    assert discriminator(first, condition).shape == (10,)


def test_synthesize_writes_pixels(trained):
    rows = pd.read_csv(trained.path / "data/07_model_output/gan_digits/gan/synthetic.csv")
    assert rows.shape == (30, 784)
    assert rows.to_numpy().min() >= 0
    assert rows.to_numpy().max() <= 255


def test_a_dcgan_trains_on_captions(project):
    settings = {
        "network": "dcgan",
        "channels": 4,
        "condition": "caption",
        "objective": "hinge",
        "spectral_normalization": True,
        "epochs": 1,
        "baselines": False,
        "captions": ["a seven, thick", "a thin one"],
    }
    project.run("gan", problem={"name": "captions"}, gan=settings)
    captions = project.catalog(problem={"name": "captions"}).load("gan.captions")
    assert len(captions.intensity) == 10
    assert set(report(project, "sample_metrics", "captions")) == {"gan"}
    written = {path.stem for path in (project.path / "data/08_reporting/captions/gan").glob("[!.]*")}
    assert "baseline_metrics" not in written


@pytest.fixture(scope="module")
def table(project):
    settings = {"pac": 2, "batch_size": 50, "objective": "wasserstein_penalty", "table": {"components": 3}}
    project.run("gan", env="forest_fires_size", synthesize=25, gan=settings)
    return project


def test_synthetic_rows_have_the_original_columns_types_and_values(table):
    rows = pd.read_csv(table.path / "data/07_model_output/forest_fires_size/gan/synthetic.csv")
    real = pd.read_csv(table.path / "data/01_raw/forest_fires/forestfires_uci.csv")
    assert len(rows) == 25
    both = [name for name in rows if name in real]
    assert len(both) >= 8
    for name in both:
        assert rows[name].dtype == real[name].dtype
        if not pd.api.types.is_numeric_dtype(real[name]):
            assert set(rows[name]) <= set(real[name])
        else:
            assert rows[name].between(real[name].min(), real[name].max()).all()


def test_a_tables_rows_are_evaluated_by_utility_and_detection(table):
    found = report(table, "row_fidelity", "forest_fires_size")
    assert 0.4 < found["detection_auc"] <= 1
    assert set(found["utility"]) == {"logistic regression", "gradient boosting"}
    by_column = report(table, "column_fidelity", "forest_fires_size")
    assert all(0 <= value <= 1 for value in by_column["marginals"].values())
    tracked = dict(
        table.query(
            "select m.key, m.value from latest_metrics m join runs r on r.run_uuid = m.run_uuid join experiments e "
            "on e.experiment_id = r.experiment_id where r.name = 'gan' and e.name = 'forest_fires_size'"
        )
    )
    assert tracked["test/detection_auc"] == pytest.approx(found["detection_auc"])
    assert tracked["test/marginal_distance"] == pytest.approx(by_column["marginal"])
    assert sum(found["classes"]["generated"]) == pytest.approx(1)
    text = (table.path / "data/08_reporting/forest_fires_size/gan/report.md").read_text()
    assert "trained on synthetic rows" in text
    for figure in FIGURES:
        assert (table.path / f"data/08_reporting/forest_fires_size/gan/{figure}.png").exists()


@pytest.fixture(scope="module")
def without_target(project):
    """A table that has no target, and columns of which nothing can be learnt."""
    rng, n = np.random.default_rng(0), 300
    score = rng.normal(size=n)
    table = pd.DataFrame(
        {
            "order_id": [f"K{k:05}" for k in range(n)],
            "row": np.arange(n) + 1000,
            "score": score.round(3),
            "age": (40 + 10 * score + rng.normal(size=n)).round(1),
            "city": rng.choice(["rome", "oslo"], n),
            "remark": [f"{k} went to {rng.integers(n)} and {rng.integers(n)}" for k in range(n)],
            "nothing": None,
        }
    )
    folder = project.path / "conf/orders"
    folder.mkdir()
    table.to_csv(project.path / "data/01_raw/orders.csv", index=False)
    entry = {"type": "layerwise.datasets.SourceTable", "path": "data/01_raw", "file": {"name": "orders.csv"}}
    (folder / "catalog.yml").write_text(yaml.safe_dump({"raw": entry}))
    (folder / "parameters.yml").write_text(
        yaml.safe_dump({"problem": {"name": "orders", "task": "regression"}, "split": {"groups": "row"}})
    )
    project.run("gan", env="orders", synthesize=25)
    return project


def test_a_table_needs_no_target_and_what_cannot_be_learnt_of_it_is_not_generated(without_target):
    assert run_of(without_target, "orders")[1] == "FINISHED"
    rows = pd.read_csv(without_target.path / "data/07_model_output/orders/gan/synthetic.csv")
    assert list(rows) == ["score", "age", "city"]
    assert set(rows["city"]) <= {"rome", "oslo"}
    catalog = without_target.catalog(env="orders")
    assert catalog.load("gan.split").not_inputs == ("row", "order_id", "remark", "nothing")
    assert catalog.load("gan.samples").targets is None
    found = report(without_target, "row_fidelity", "orders")
    assert found["utility"] == found["classes"] == {}
    assert 0.3 < found["detection_auc"] <= 1
    folder = without_target.path / "data/08_reporting/orders/gan"
    assert {path.stem for path in folder.glob("*.png")} == set(FIGURES) - {"classes"}
    assert "Utility" not in (folder / "report.md").read_text()


@pytest.mark.parametrize(
    ("gan", "message"),
    [
        ({"objective": "hinge", "label_smoothing": 0.1}, "no target to smooth"),
        (
            {"objective": "wasserstein_penalty", "discriminator_normalization": "batch"},
            "mixes the rows of a batch",
        ),
        ({"network": "dcgan", "pac": 2}, "packed rows are for network mlp"),
        ({"epoch": 3}, "did you mean 'epochs'"),
        ({"pac": 3, "batch_size": 100}, "no multiple of pac 3"),
    ],
)
def test_settings_that_do_not_go_together_stop_the_command(project, gan, message):
    with pytest.raises(ValueError, match=message):
        project.run("gan", gan=gan)


@pytest.mark.parametrize(
    ("gan", "message"),
    [
        ({"network": "dcgan"}, "dcgan is for images"),
        ({"augmentation": ["cutout"]}, "gan.augmentation is for images"),
        ({"condition": "caption"}, "caption is for images"),
    ],
)
def test_settings_for_images_are_refused_for_a_table(project, gan, message):
    with pytest.raises(ValueError, match=message):
        project.run("gan", env="forest_fires_size", gan=gan | {"pac": 1})


def test_a_caption_that_cannot_be_read_stops_before_training(project):
    with pytest.raises(ValueError, match="unknown word 'purple'"):
        project.run(
            "gan", problem={"name": "purple"}, gan={"condition": "caption", "captions": ["a purple two"]}
        )


def test_gans_on_the_ring_are_trained_and_reported(project):
    project.run("gan_ring", problem={"name": "ring"}, ring={"variants": ["minimax, strong discriminator"]})
    runs = project.json("07_model_output/ring/gan_ring/ring_results.json")
    assert [run["variant"] for run in runs] == ["default", "minimax, strong discriminator"]
    text = (project.path / "data/08_reporting/ring/gan_ring/report.md").read_text()
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert lines[:2] == [
        "| variant | seed | modes found | samples in a mode | diagnosis |",
        "| --- | --- | --- | --- | --- |",
    ]
    for line, run in zip(lines[2:], runs, strict=True):
        kinds = ", ".join(each.split(":")[0] for each in run["diagnoses"]) or "no failure"
        shown = [run["variant"], "0", f"{run['modes']} of 8", f"{run['in_modes']:.0%}", kinds]
        assert line == f"| {' | '.join(shown)} |"
        for diagnosis in run["diagnoses"]:
            assert f"- {run['variant']}, seed 0: {diagnosis}\n" in text
    assert (project.path / "data/08_reporting/ring/gan_ring/animation/animation.gif").exists()


@pytest.fixture(scope="module")
def applications(project):
    project.run("gan_applications", problem={"name": "applications"})
    return project


def test_every_application_has_its_figure_and_its_error_beside_a_baseline(applications):
    for name in ("translation", "super_resolution", "next_frame"):
        found = report(applications, name, "applications", "gan_applications")
        assert 0 < found["mse"] < 1
        assert 0 < found["baseline_mse"] < 1
        assert (applications.path / f"data/08_reporting/applications/gan_applications/{name}.png").exists()


def test_the_html_demo_holds_the_generator_itself(applications):
    html_demo = (applications.path / "data/08_reporting/applications/gan_applications/demo.html").read_text()
    assert html_demo.startswith("<!doctype html>")
    assert '"latent": 8' in html_demo
    assert "MODEL" not in html_demo
    run = applications.query("select run_uuid from runs where name = 'gan_applications'")[0][0]
    assert list((applications.path / "mlruns").glob(f"**/{run}/artifacts/demo.html"))


def test_applications_of_a_table_are_refused(project):
    with pytest.raises(ValueError, match="gan_applications are of images"):
        project.run("gan_applications", env="forest_fires_size")
