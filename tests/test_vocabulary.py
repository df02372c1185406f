"""The field's own words for what there are words for: names that a stranger would have to look up stay out."""

import ast
import functools
import io
import json
import re
import tokenize
from pathlib import Path

import yaml

from layerwise.parameters import PARAMETERS, is_model

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src/layerwise"
# What the parameters of the first edition were called.
OLD_NAMES = SOURCE / "parameters/renames.py"

# No part of a name of a function, class, variable, parameter, metric or catalog entry.
WORDS = """
    machine machines activity activities remember remembers remembered remembering
    game games player players play plays played playing told rival rivals verdict verdicts cure cures cured sick
    mend mends mended judge judges judged judging judgement laboratory health
    ink film films damage damages damaged strange undrawn exposure
    trainee trainees survival refuge receiver refusals guards
    flavour flavours colour colours coloured grey greys centre centres centred neighbour neighbours behaviour
    favour artefact artefacts
"""
RETIRED = frozenset(WORDS.split())
# The British -ise of a verb that code has.
BRITISH = re.compile(
    "(optim|initial|normal|binar|standard|minim|maxim|summar|general|regular|penal|quant|discret|vector|random"
    "|visual|serial|token|local|symmetr|categor|parametr|character|factor|synthes|util|real|recogn|organ)"
    "is(e|ed|er|ers|es|ing|ation|ations)"
)
# Not in src/ at all, neither in its docstrings, comments and messages.
RETIRED_NOUNS = re.compile(
    r"\b(machines?|games?|players?|ink|mend(s|ed|ing)?|cure[sd]?|verdicts?|sick|rivals?)\b", re.IGNORECASE
)
# Other machines than an RBM: two models of these names, a field of study, and a computer.
OTHER_MACHINES = re.compile(
    r"\b(Boltzmann machines?|support vector machines?|machine learning"
    r"|(this|another|the same|one) machine|the machine's)\b".replace(" ", r"[\s#]+"),
    re.IGNORECASE,
)
# A stream of random numbers hangs on its name: another name is another stream.
STREAMS = {"torch_rng", "numpy_rng", "derive_seed"}


def words_of(name):
    """The parts of a name, be it snake_case, CamelCase, dotted or a path."""
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)]


@functools.cache
def retired(name):
    return [word for word in words_of(name) if word in RETIRED or BRITISH.fullmatch(word)]


def report(names):
    """One line for each (place, name) with a retired word."""
    return sorted({f"{place} {name}: {', '.join(retired(name))}" for place, name in names if retired(name)})


def identifiers(source):
    """The line and text of every name in Python code."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.NAME:
            yield token.start[0], token.string


def python_code():
    """A place and the code of every module, and of every cell of a notebook."""
    for pattern in ("src/**/*.py", "tests/**/*.py", "benchmarks/*.py", "docs/*.py"):
        for path in ROOT.glob(pattern):
            if path not in (OLD_NAMES, Path(__file__)):
                yield str(path.relative_to(ROOT)), path.read_text()
    for path in ROOT.glob("notebooks/*.ipynb"):
        for k, cell in enumerate(json.loads(path.read_text())["cells"]):
            if cell["cell_type"] == "code":
                code = re.sub(r"(?m)^[%!]", "#", "".join(cell["source"]))
                yield f"{path.relative_to(ROOT)}:cell {k}", code


def parameter_names(models, prefix=""):
    for name, kind in models.items():
        yield prefix + name
        if is_model(kind):
            inner = {each: field.annotation for each, field in kind.model_fields.items()}
            yield from parameter_names(inner, f"{prefix}{name}.")


def metric_names(source):
    """The line and text of every string that looks like a metric's name, `a/b`; {} for what an f-string fills in."""
    nodes = list(ast.walk(ast.parse(source)))
    pieces = {id(part) for node in nodes if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in nodes:
        if isinstance(node, ast.JoinedStr):
            text = "".join(
                str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in pieces:
            text = node.value
        else:
            continue
        if re.fullmatch(r"[\w{}.]+(/[\w{}.]+)+", text):
            yield node.lineno, text


def blank(text, start, end):
    """The text with spaces in place of a part; lines stay where they are."""
    return text[:start] + re.sub(r"[^\n]", " ", text[start:end]) + text[end:]


def without_streams(source):
    """Python code without the calls that name a stream of random numbers."""
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line.encode()))
    encoded = source.encode()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if name in STREAMS:
                start = starts[node.lineno - 1] + node.col_offset
                end = starts[node.end_lineno - 1] + node.end_col_offset
                encoded = encoded[:start] + re.sub(rb"[^\n]", b" ", encoded[start:end]) + encoded[end:]
    return encoded.decode()


def retired_nouns(text):
    """The line and word of every retired noun in a text."""
    for other in OTHER_MACHINES.finditer(text):
        text = blank(text, other.start(), other.end())
    for found in RETIRED_NOUNS.finditer(text):
        yield text.count("\n", 0, found.start()) + 1, found.group()


def test_identifiers_are_the_fields_words():
    names = [(f"{place}:{line}", name) for place, code in python_code() for line, name in identifiers(code)]
    names += [(str(path.relative_to(ROOT)), path.stem) for path in SOURCE.rglob("*.py")]
    found = report(names)
    assert not found, "\n".join(found)


def test_parameter_names_are_the_fields_words():
    found = report(("conf/base/parameters.yml", name) for name in parameter_names(PARAMETERS))
    assert not found, "\n".join(found)


def test_catalog_entries_are_named_in_the_fields_words():
    found = report(
        (path.relative_to(ROOT), entry)
        for path in ROOT.glob("conf/**/catalog*.yml")
        for entry in yaml.safe_load(path.read_text())
    )
    assert not found, "\n".join(found)


def test_metric_names_are_the_fields_words():
    found = report(
        (f"{path.relative_to(ROOT)}:{line}", name)
        for path in SOURCE.rglob("*.py")
        if path != OLD_NAMES
        for line, name in metric_names(path.read_text())
    )
    assert not found, "\n".join(found)


def test_docstrings_comments_and_messages_have_no_retired_noun():
    found = []
    for path in sorted(SOURCE.rglob("*")):
        if path.suffix in (".py", ".pyi", ".html") and path != OLD_NAMES:
            text = path.read_text()
            text = without_streams(text) if path.suffix == ".py" else text
            found += [f"{path.relative_to(ROOT)}:{line} {word}" for line, word in retired_nouns(text)]
    assert not found, "\n".join(found)


def test_a_retired_word_in_a_name_would_be_found():
    code = "def train_machine(optimiser):\n    self.lastVerdict = KeepFilm(negative_slope=1, noise=raised)\n"
    assert [(line, retired(name)) for line, name in identifiers(code) if retired(name)] == [
        (1, ["machine"]),
        (1, ["optimiser"]),
        (2, ["verdict"]),
        (2, ["film"]),
    ]
    assert [name for name in ("layerwise", "exercise", "supervised", "pairwise") if retired(name)] == []
    assert report([("catalog.yml", "{pipeline}.game_history")]) == [
        "catalog.yml {pipeline}.game_history: game"
    ]
    code = 'log("health/layer_1", f"{prefix}train/told", "image/png", "a sick / b")\n'
    assert [(line, name) for line, name in metric_names(code) if retired(name)] == [
        (1, "health/layer_1"),
        (1, "{}train/told"),
    ]


def test_a_retired_noun_in_prose_would_be_found():
    code = (
        '"""A machine; the cure\nof a rival."""\n'
        "# A restricted Boltzmann\n# machine, on the same machine; machine learning.\n"
        'rng = torch_rng(seed, "ink", "é") + numpy_rng(\n    seed, "rivals"\n)\n'
        'raise Error(f"{n} players")\n'
    )
    assert list(retired_nouns(without_streams(code))) == [
        (1, "machine"),
        (1, "cure"),
        (2, "rival"),
        (8, "players"),
    ]
