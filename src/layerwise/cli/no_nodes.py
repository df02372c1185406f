"""A runner that runs no node: what is left of `kedro run` is what its hooks do before the nodes and after them."""

from __future__ import annotations

from concurrent.futures import Executor
from typing import Any

from kedro.runner import AbstractRunner


class NoNodesRunner(AbstractRunner):
    """Run no node, and say nothing of it."""

    def run(self, *given: Any, **named: Any) -> dict[str, Any]:
        """Leave the catalog as it is; return no outputs."""
        return {}

    def _get_executor(self, max_workers: int) -> Executor | None:
        return None

    def _run(self, *given: Any, **named: Any) -> None:
        """Kedro asks for it in each runner."""
