"""Broken YAML is said in a sentence that names the file, the line and what is wrong."""

from pathlib import Path

import pytest

from layerwise.cli.configuration import ConfigurationError
from layerwise.parameters import ParameterError

CONF = Path(__file__).parents[2] / "conf/forest_fires"
CATALOG, PARAMETERS = ((CONF / f"{name}.yml").read_text() for name in ("catalog", "parameters"))
LAST = PARAMETERS.count("\n")


@pytest.fixture
def read(fresh_project):
    """Reads an environment of these files."""
    folder = fresh_project.path / "conf/broken"
    folder.mkdir()

    def read(parameters=PARAMETERS, catalog=CATALOG):
        for name, content in (("parameters", parameters), ("catalog", catalog)):
            (folder / f"{name}.yml").write_bytes(content if isinstance(content, bytes) else content.encode())
        with fresh_project.session("broken") as session:
            return session.load_context().params

    return read


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("seed: 1\nseed: 2\n", f"parameters.yml, line {LAST + 2}: seed is there already, in line {LAST + 1}"),
        ("sae:\n  l1: 1\n  l1: 2\n", f"line {LAST + 3}: l1 is there already, in line {LAST + 2}"),
        ("sae:\n\tl1: 1\n", f"line {LAST + 2}: a tab; YAML is indented by spaces"),
        (
            "seed: ${nope:1}\n",
            f"line {LAST + 1}: seed: Unsupported interpolation type nope; what can be named is",
        ),
        ("seed: ${seed}\n", "seed: Recursive interpolation"),
        ("seed: ${a\n", "seed: no viable alternative at input"),
        ("seed: '1\n", "found unexpected end of stream"),
        ("sae: {l1: 1\n", "expected ',' or '}'"),
        ("sae: [1]\n", "parameters.yml: sae holds a list, in place of names with values"),
        ("sae: *x\n", f"line {LAST + 1}: found undefined alias 'x'"),
        ("seed: !!python/object/apply:os.system [ls]\n", "python/object/apply:os.system is not read"),
        ("---\nseed: 2\n", "found another document"),
        ("~: 2\n", f"line {LAST + 1}: the name ~ is no text"),
        ("seed: \0\n", "special characters are not allowed"),
        ("a: " + "[" * 400 + "]" * 400, "nested too deeply"),
        ("a: &x\n  b: *x\n", "parameters.yml: it is nested too deeply"),
    ],
)
def test_a_broken_file_of_parameters_is_named_with_its_line(read, more, said):
    with pytest.raises(ConfigurationError) as found:
        read(PARAMETERS + more)
    assert said in str(found.value)
    assert "\n" not in str(found.value)


def test_bytes_that_are_no_text_and_lists_in_place_of_names_are_named(read):
    with pytest.raises(ConfigurationError, match=rf"line {LAST + 1}: the byte 0xe9 is no UTF-8"):
        read(PARAMETERS.encode() + b"# \xe9\n")
    with pytest.raises(ConfigurationError, match=r"parameters\.yml, line 1: a list, in place of names"):
        read("- a\n")
    for entry in ("x", "[1]", ""):
        with pytest.raises(
            ConfigurationError, match=r"catalog\.yml, line 1: the entry raw has to say its type"
        ):
            read(catalog=f"raw: {entry}\n")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("seed: yes\n", "seed: true is no number; YAML reads yes, no, on and off as true and false"),
        (
            "seed: 99999999999999999999\n",
            "seed: 99999999999999999999 is too large: whole numbers go up to 9223",
        ),
        (
            "gradients:\n  depths: [8, 99999999999999999999]\n",
            "gradients: depths: 99999999999999999999 is too large",
        ),
        ("labelled_rows: true\n", "labelled_rows: true is no number"),
        ("sae:\n  weight_decay: on\n", "sae: weight_decay: true is no number"),
        ("gradients:\n  depths: [10, yes]\n", "gradients: depths: true is no number"),
        ("1: 2\n", "unknown parameter '1'"),
    ],
)
def test_neither_true_nor_more_than_64_bits_are_a_number(read, more, said):
    with pytest.raises(ParameterError) as found:
        read(PARAMETERS + more)
    assert said in str(found.value)


def test_true_is_taken_where_a_setting_may_be_true(read):
    assert read(PARAMETERS + "refit: yes\n")["refit"] is True
