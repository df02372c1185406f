"""What is installed: by version and hash, from no named registry; the actions of CI by commit."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PIN = re.compile(r"^([\w.-]+)==([^ ;\\]+)")


def versions(text):
    """Return the version of each package by its name in one spelling."""
    found = filter(None, map(PIN.match, text.splitlines()))
    return {re.sub(r"[-_.]+", "-", pin[1]).lower(): pin[2] for pin in found}


def test_each_requirement_has_its_hashes_and_the_version_of_the_constraints():
    text = (ROOT / "requirements.txt").read_text()
    pins = re.split(r"\n(?=[A-Za-z0-9])", text.strip())
    assert len(pins) > 100
    assert [pin for pin in pins if not re.search(r"--hash=sha256:[0-9a-f]{64}", pin)] == []
    required, constraints = versions(text), versions((ROOT / "constraints.txt").read_text())
    assert len(required) == len(pins)
    assert {name: v for name, v in required.items() if constraints.get(name, v) != v} == {}


def test_no_requirement_names_a_registry_and_pytorch_is_left_to_a_line_of_its_own():
    text = (ROOT / "requirements.txt").read_text()
    assert not re.search(r"https?://|--index|--find-links|file:", text)
    assert "torch" not in versions(text)
    assert "torch" in versions((ROOT / "constraints.txt").read_text())


def test_the_actions_of_continuous_integration_are_named_by_commit():
    text = "".join(path.read_text() for path in (ROOT / ".github/workflows").glob("*.yml"))
    used = re.findall(r"uses: *(\S+)", text)
    assert used
    assert [name for name in used if not re.fullmatch(r"[\w/.-]+@[0-9a-f]{40}", name)] == []
