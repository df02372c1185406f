"""The configuration of many sessions in one process, read and merged sooner and to the same values."""

import functools
import io
import pickle
from contextlib import contextmanager

import pytest
from omegaconf import OmegaConf, grammar_parser

LOAD, MERGE, TO_CONTAINER, RESOLVE = (
    OmegaConf.load,
    OmegaConf.unsafe_merge,
    OmegaConf.to_container,
    OmegaConf.resolve,
)


class NotPlainError(Exception):
    """What OmegaConf alone can merge: interpolations, missing values, other types than JSON has, wrong pairs."""


def plain(value):
    """Return a copy of what needs no OmegaConf: dictionaries and lists of text, numbers and None."""
    if isinstance(value, dict):
        if not all(type(name) is str for name in value):
            raise NotPlainError
        return {name: plain(each) for name, each in value.items()}
    if type(value) in (list, tuple):
        return [plain(each) for each in value]
    if type(value) is str and ("${" in value or value == "???"):
        raise NotPlainError
    if value is not None and type(value) not in (str, bool, int, float):
        raise NotPlainError
    return value


def merge_plain(first, second):
    """Put the second of two dictionaries into the first, as OmegaConf does."""
    for name, value in second.items():
        old = first.get(name)
        if isinstance(old, dict) and isinstance(value, dict):
            merge_plain(old, value)
        elif isinstance(old, dict | list) and isinstance(value, dict | list) and type(old) is not type(value):
            raise NotPlainError
        else:
            first[name] = value
    return first


@functools.cache
def _parsed(text):
    """Return the pickled configuration of a file's text, a dictionary where it is plain."""
    config = LOAD(io.StringIO(text))
    try:
        return pickle.dumps(plain(TO_CONTAINER(config)))
    except NotPlainError:
        return pickle.dumps(config)


def _load(file):
    # Each session gets a copy of its own. Kedro hands over text; a path is left to OmegaConf.
    return pickle.loads(_parsed(file.read())) if isinstance(file, io.StringIO) else LOAD(file)


def _merge(*configs):
    try:
        if all(isinstance(each, dict) for each in configs):
            return functools.reduce(merge_plain, map(plain, configs), {})
    except NotPlainError:
        pass
    return MERGE(*configs)


def _to_container(config, **options):
    return config if isinstance(config, dict) else TO_CONTAINER(config, **options)


def _resolve(config):
    if not isinstance(config, dict):  # a plain one has nothing to resolve
        RESOLVE(config)


@contextmanager
def files_parsed_once():
    """Have OmegaConf parse each text of a YAML file, and each value with a `${`, once, and merge none that is plain.

    Half of a short run's time goes into its configuration.
    """
    value = functools.cache(grammar_parser.parse)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(OmegaConf, "load", _load)
        patch.setattr(OmegaConf, "unsafe_merge", _merge)
        patch.setattr(OmegaConf, "to_container", _to_container)
        patch.setattr(OmegaConf, "resolve", _resolve)
        for module in ("base", "_utils"):
            patch.setattr(f"omegaconf.{module}.parse", value)
        yield


@contextmanager
def files_read_by_omegaconf():
    """Leave everything to OmegaConf again."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(OmegaConf, "load", LOAD)
        patch.setattr(OmegaConf, "unsafe_merge", MERGE)
        patch.setattr(OmegaConf, "to_container", TO_CONTAINER)
        patch.setattr(OmegaConf, "resolve", RESOLVE)
        yield
