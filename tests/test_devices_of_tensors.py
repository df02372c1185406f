"""A tensor is made where its inputs are: code that learns or measures names the device of every tensor it makes."""

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src/layerwise"
FACTORIES = {
    "arange", "empty", "eye", "full", "linspace", "ones", "rand", "randint", "randn", "randperm", "tensor", "zeros",
}  # fmt: skip
# What goes into a checkpoint is on the CPU, as a generator's state is.
INTO_CHECKPOINTS = {"state_dict", "state_tensor", "to_tensors"}


def factories_without_a_device(text):
    """Return the lines of calls such as `torch.zeros(3)` outside functions that write checkpoints."""
    found = []

    def visit(node):
        if isinstance(node, ast.FunctionDef) and node.name in INTO_CHECKPOINTS:
            return
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            is_torch = isinstance(node.func.value, ast.Name) and node.func.value.id == "torch"
            named = any(keyword.arg == "device" for keyword in node.keywords)
            if is_torch and node.func.attr in FACTORIES and not named:
                found.append(node.lineno)
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(ast.parse(text))
    return found


def test_the_search_finds_a_factory_that_names_no_device():
    text = "def f(x):\n    y = torch.zeros(3)\n    return y + torch.ones(3, device=x.device)\n"
    assert factories_without_a_device(text) == [2]
    assert factories_without_a_device(text.replace("def f", "def state_dict")) == []


@pytest.mark.parametrize("package", ["training", "evaluation"])
def test_every_tensor_that_is_made_names_its_device(package):
    found = [
        f"{path.relative_to(SOURCE)}:{line}"
        for path in sorted((SOURCE / package).rglob("*.py"))
        for line in factories_without_a_device(path.read_text())
    ]
    assert found == []
