import subprocess

import pytest
from click.testing import CliRunner

from layerwise import cli
from layerwise.cli.run_parameters import CommandLineError, parse_parameters


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        ("seed=3", {"seed": 3}),
        ("finetuning.epochs=5,finetuning.dropout=0.2", {"finetuning": {"epochs": 5, "dropout": 0.2}}),
        ("mlp.hidden_sizes=[64,32]", {"mlp": {"hidden_sizes": [64, 32]}}),
        (
            "mlp.hidden_sizes=[64, 32],mlp.activation=[relu,tanh],seed=1",
            {"mlp": {"hidden_sizes": [64, 32], "activation": ["relu", "tanh"]}, "seed": 1},
        ),
        ("grid={finetuning.epochs: [1, 2]}", {"grid": {"finetuning.epochs": [1, 2]}}),
        ("problem.drop=['a, b',c]", {"problem": {"drop": ["a, b", "c"]}}),
        ("predict.input=a=b.csv", {"predict": {"input": "a=b.csv"}}),
        ("predict.input=don't.csv,seed=1", {"predict": {"input": "don't.csv"}, "seed": 1}),
        ("split.seed=null", {"split": {"seed": None}}),
    ],
)
def test_values_are_numbers_lists_and_words(text, expected):
    assert parse_parameters(text) == expected


@pytest.mark.parametrize("word", ["yes", "no", "on", "off", "true", "false", "No", "y"])
def test_a_class_may_be_called_yes_or_no(word):
    assert parse_parameters(f"problem.positive={word}") == {"problem": {"positive": word}}
    assert parse_parameters(f"problem.target={word},problem.name=x")["problem"]["target"] == word


@pytest.mark.parametrize(
    ("word", "value"), [("yes", True), ("no", False), ("on", True), ("off", False), ("true", True)]
)
def test_a_switch_takes_yes_and_no(word, value):
    assert parse_parameters(f"split.stratify={word},resume={word},layer_statistics={word}") == {
        "split": {"stratify": value},
        "resume": value,
        "layer_statistics": value,
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("seed", "'seed' is no name=value"),
        ("=3", "'=3' is no name=value"),
        ("mlp.hidden_sizes=[64,32", r"\] is missing in mlp.hidden_sizes=\[64,32; put the whole option into"),
        ("a='b", "' is missing"),
    ],
)
def test_what_cannot_be_read_is_named(text, words):
    with pytest.raises(CommandLineError, match=words):
        parse_parameters(text)


def given_to_kedro(*arguments, option="params"):
    """Return an option, the parameters by default, that Kedro's own function is called with."""
    seen = {}
    command = type(cli.run)("run", callback=lambda **options: seen.update(options), params=cli.run.params)
    done = CliRunner().invoke(command, list(arguments))
    assert done.exit_code == 0, done.output
    return seen[option]


def test_the_run_command_takes_lists_and_words_and_files_of_settings(tmp_path):
    assert given_to_kedro("--params=mlp.hidden_sizes=[64,32],problem.positive=no") == {
        "mlp": {"hidden_sizes": [64, 32]},
        "problem": {"positive": "no"},
    }
    assert given_to_kedro() == {}
    (tmp_path / "run.yml").write_text("run:\n  params:\n    mlp:\n      hidden_sizes: [64, 32]\n")
    assert given_to_kedro(f"--config={tmp_path}/run.yml") == {"mlp": {"hidden_sizes": [64, 32]}}


@pytest.mark.parametrize(
    "option", ["pipelines", "tags", "to_nodes", "to_outputs", "from_inputs", "namespaces"]
)
def test_a_file_of_settings_may_hold_names_as_a_list_or_as_text(tmp_path, option):
    for written in ("[mlp, rbm]", "mlp,rbm"):
        (tmp_path / "run.yml").write_text(f"run:\n  {option}: {written}\n")
        assert list(given_to_kedro(f"--config={tmp_path}/run.yml", option=option)) == ["mlp", "rbm"]


def test_the_documented_quotes_reach_the_command_whole_in_a_shell():
    line = 'printf "%s" "--params=mlp.hidden_sizes=[64, 32],problem.positive=no"'
    said = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=True).stdout
    assert given_to_kedro(said) == {"mlp": {"hidden_sizes": [64, 32]}, "problem": {"positive": "no"}}
