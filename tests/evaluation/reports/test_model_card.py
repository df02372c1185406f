from layerwise.data import ColumnBlock, DataSpec
from layerwise.evaluation.metrics import Metric
from layerwise.evaluation.reports import compare_with_components, make_model_card, make_network_card

DATA_SPEC = DataSpec(
    task="binary",
    n_inputs=2,
    n_outputs=1,
    feature_names=("age", "balance"),
    blocks=(
        ColumnBlock(name="age", kind="real", start=0, stop=1),
        ColumnBlock(name="balance", kind="real", start=1, stop=2),
    ),
    target_names=("Exited",),
    class_names=("stays", "leaves"),
    source="a file",
    sha256="abc",
    n_training=1000,
    n_validation=100,
    n_test=200,
)


def metrics(value):
    return {"error": Metric(name="error", value=value, low=0.1, high=0.3, base_rate=0.4, better="lower")}


def test_the_card_holds_data_metrics_baselines_notes_and_parameters():
    card = make_model_card(
        DATA_SPEC,
        {"mlp": {"hidden_sizes": [6, 6]}, "seed": 0},
        metrics(0.2),
        {"gradient boosting": metrics(0.15)},
        ["two rows stand in both sets"],
        conclusions=["The network loses to gradient boosting."],
    )
    for text in (
        "1,000 training, 100 validation, 200 test",
        "`abc`",
        "age (real), balance (real)",
        "| error | lower | 0.2000 [0.1000, 0.3000] | 0.4000 | 0.1500 [0.1000, 0.3000] |",
        "The network loses to gradient boosting",
        "- two rows stand in both sets",
        "| `mlp.hidden_sizes` | `[6, 6]` |",
        "## What it should not be used for",
        "200 test rows make wide intervals",
    ):
        assert text in card


def test_every_table_row_has_as_many_cells_as_its_head():
    card = make_model_card(DATA_SPEC.model_copy(update={"source": "a|b"}), {"a": "x|y"}, metrics(0.2))
    blocks = [[line for line in block.splitlines() if line.startswith("|")] for block in card.split("\n\n")]
    tables = [lines for lines in blocks if lines]
    assert len(tables) >= 2
    for lines in tables:
        assert len(lines) > 2  # a head, a rule, rows
        assert len({line.replace("\\|", "").count("|") for line in lines}) == 1


def test_images_are_described_by_their_size():
    card = make_model_card(DATA_SPEC.model_copy(update={"image_shape": (28, 28)}), {}, metrics(0.2))
    assert "images of 28 x 28 pixels" in card
    assert "age (real)" not in card


def test_the_positive_class_of_a_binary_task_stands_on_its_card_alone():
    assert "| positive class | leaves |" in make_model_card(DATA_SPEC, {}, metrics(0.2))
    regression = DATA_SPEC.model_copy(update={"task": "regression", "class_names": ()})
    assert "positive class" not in make_model_card(regression, {}, metrics(0.2))


def test_the_card_of_a_network_without_a_target_has_what_was_measured_with_its_intervals():
    measured = {
        "test/log_prob": -86.25,
        "test/log_prob_low": -87.0,
        "test/log_prob_high": -85.5,
        "train/loss": 1.0,
    }
    card = make_network_card(
        DATA_SPEC, {"rbm": {"n_hidden": 6}}, measured, title="An RBM", conclusions=["Bad."]
    )
    for text in (
        "# An RBM\n",
        "| log_prob | -86.25 [-87, -85.5] |",
        "1,000 training, 100 validation, 200 test",
        "| `rbm.n_hidden` | `6` |",
        "**Bad.**",
    ):
        assert text in card
    assert "log_prob_low" not in card
    assert "loss" not in card


def test_an_autoencoder_that_components_beat_gets_a_sentence():
    def found(own):
        return compare_with_components({"test/reconstruction_sse": own, "test/pca_reconstruction_sse": 10.0})

    assert found(11.0) == ["Worse than as many principal components: reconstruction_sse 11 against 10."]
    assert found(10.1) == found(9.0) == []
    assert compare_with_components({"test/reconstruction_sse": 11.0}) == []
