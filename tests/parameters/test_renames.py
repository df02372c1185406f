import pytest

from layerwise.parameters import PARAMETERS, ParameterError, check_parameters, is_model
from layerwise.parameters.keys import default_of
from layerwise.parameters.renames import RENAMED_PARAMETERS, RENAMED_VALUES, find_renames

PROBLEM = {"name": "letters", "task": "multiclass"}


def field(name):
    """The model or annotation of a dotted name; None where no parameter has that name."""
    key, *inner = name.split(".")
    kind = PARAMETERS.get(key)
    for each in inner:
        if not is_model(kind) or each not in kind.model_fields:
            return None
        kind = kind.model_fields[each].annotation
    return kind


def right_parameters():
    """Every parameter with its default, for a problem that has nothing else to say."""
    return {key: default_of(key) for key in PARAMETERS} | {"problem": PROBLEM}


def with_value(name, value):
    """The right parameters, and a value under a dotted name beside them."""
    parameters = right_parameters()
    *groups, last = name.split(".")
    inner = parameters
    for group in groups:
        inner = inner.setdefault(group, {})
    inner[last] = value
    return parameters


def value_under(parameters, name):
    for each in name.split("."):
        parameters = parameters[each]
    return parameters


# The parameters under a key that was renamed and that kept their own names.
SAME_BELOW = {
    f"{old}.{name}": f"{new}.{name}"
    for old, new in RENAMED_PARAMETERS.items()
    if is_model(field(new))
    for name in field(new).model_fields
    if f"{new}.{name}" not in RENAMED_PARAMETERS.values()
}
ALL = RENAMED_PARAMETERS | SAME_BELOW


@pytest.mark.parametrize("old", ALL)
def test_an_old_name_gets_one_error_that_names_the_new_one(old):
    default = value_under(right_parameters(), ALL[old])
    given = with_value(old, {} if is_model(field(ALL[old])) else default)
    with pytest.raises(ParameterError) as caught:
        check_parameters(given)
    assert str(caught.value) == f"wrong parameters: {old} is called {ALL[old]} now"


@pytest.mark.parametrize("old", RENAMED_PARAMETERS)
def test_every_new_name_is_a_parameters_and_no_old_one_is(old):
    assert field(RENAMED_PARAMETERS[old]) is not None
    assert field(old) is None


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [(name, old, new) for name, values in RENAMED_VALUES.items() for old, new in values.items()],
)
def test_an_old_value_gets_one_error_that_names_the_new_one(name, old, new):
    with pytest.raises(ParameterError) as caught:
        check_parameters(with_value(name, old))
    assert str(caught.value) == f"wrong parameters: {name}: {old} is called {new} now"
    check_parameters(with_value(name, new))


def test_the_other_checks_see_an_old_parameters_value_under_its_new_name():
    given = right_parameters()
    given["finetuning"] |= {"optimiser": "momentum", "momentum": 0.9}  # adam would have no use for a momentum
    given["applications"] = {"average": 2, "epochs": 3}
    with pytest.raises(ParameterError) as caught:
        check_parameters(given)
    found = str(caught.value).removeprefix("wrong parameters: ").split("; ")
    assert set(found[:3]) == {
        "finetuning.optimiser is called finetuning.optimizer now",
        "applications.average is called gan_applications.ema_decay now",
        "applications.epochs is called gan_applications.epochs now",
    }
    assert len(found) == 4
    assert found[3].startswith("gan_applications.ema_decay: Input should be less than 1")


def test_right_parameters_are_left_as_they_are_and_wrong_ones_are_not_changed():
    right = right_parameters()
    assert find_renames(right) == (right, [])
    given = {"gan": {}, "preparation": None, "preprocessing": {"scaling": "minmax"}}
    renamed, sentences = find_renames(given | {"gan": {"clip": 1}})
    assert renamed == {"gan": {"weight_clip": 1}, "preprocessing": {"scaling": "minmax"}}
    assert len(sentences) == 2
    find_renames(given | {"applications": {}})
    assert given == {"gan": {}, "preparation": None, "preprocessing": {"scaling": "minmax"}}


def test_an_old_name_on_the_command_line_or_in_a_problems_folder_stops_the_run_before_any_node(fresh_project):
    with pytest.raises(ParameterError, match=r"pretraining\.activities is called pretraining\.features now$"):
        fresh_project.run("dbn", pretraining={"activities": "samples"})
    folder = fresh_project.path / "conf/first_edition"
    folder.mkdir()
    (folder / "parameters.yml").write_text(
        "problem:\n  name: first_edition\n  task: binary\npreparation:\n  binarise: fresh\nhealth: true\n"
    )
    with pytest.raises(ParameterError) as caught:
        fresh_project.run("dbn", env="first_edition")
    for part in (
        "preparation.binarise is called preprocessing.binarize now",
        "preprocessing.binarize: fresh is called dynamic now",
        "health is called layer_statistics now",
    ):
        assert part in str(caught.value)
    assert "unknown parameter" not in str(caught.value)
