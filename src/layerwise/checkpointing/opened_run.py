"""A run that `kedro run-begin` opened, as the processes of its nodes and that of its end find it on disk.

data/checkpoints/<problem>/<pipeline>/<run id>/nodes/<node>.json       how a node that began has ended
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from layerwise.checkpointing.data_changes import differences
from layerwise.checkpointing.run_directory import MAX_SHOWN, OpenedRunError, RunDirectory
from layerwise.checkpointing.run_on_disk import RunOnDisk, RunWatch, end
from layerwise.checkpointing.store import CheckpointSettings, slug
from layerwise.utils import atomic_write

FINISHED = "FINISHED"


class UnfinishedNodesError(OpenedRunError):
    """Nodes of an opened run have not finished; the message has the reason of each that failed."""


def opened_run_id(project: Path, problem: str, pipeline: str) -> str:
    """Return the id of the run that was opened last.

    Args:
        project: the project's folder.
        problem: its name.
        pipeline: its name; several are joined by `+`.
    """
    return str(RunDirectory(project / "data", problem, pipeline).locks[0].read()["run_id"])


class OpenedRun(RunOnDisk):
    """Take part in an opened run, beside other processes of it.

    A node that is tried again goes on from its checkpoints.

    Args:
        project: the project's folder.
        problem: its name.
        pipeline: its name; several are joined by `+`.
        parameters: flat, of all that the run reads.
        settings: of the checkpoints.
        run_id: the run.

    Raises:
        OpenedRunError: no such run is open here, or it was opened with other parameters.
    """

    def __init__(
        self,
        project: Path,
        problem: str,
        pipeline: str,
        parameters: Mapping[str, str],
        settings: CheckpointSettings,
        run_id: str,
    ) -> None:
        self.directory = RunDirectory(project / "data", problem, pipeline)
        folder = self.directory.join(run_id)
        self._nodes, self._run_id = folder / "nodes", run_id
        self.command = str(self.directory.run.get("command", "")).replace("kedro run-begin", "kedro run", 1)
        differ = differences(self.directory.run["parameters"], parameters)
        if differ:
            raise OpenedRunError(
                f"run {run_id} was opened with other parameters: {'; '.join(differ[:MAX_SHOWN])}. Give all of its "
                "commands the same"
            )
        # The outputs that are left to be saved, of each node at work in this process.
        self._unsaved: dict[str, set[str]] = {}
        self._watch = RunWatch(folder, settings, True, parameters)

    @property
    def resumed(self) -> bool:
        """A node that is tried again reads what it left."""
        return True

    def begin_node(self, name: str, outputs: Iterable[str]) -> None:
        """Write down that a node is at work."""
        self._unsaved[name] = set(outputs)
        self._write(name, "RUNNING")

    def take_output(self, output: str, flush: Callable[[], None]) -> None:
        """Take an output that was saved; with the last one its node has finished, once what it reported is sent."""
        for name, left in list(self._unsaved.items()):
            if output in left:
                left.discard(output)
                if not left:
                    flush()
                    del self._unsaved[name]
                    self._write(name, FINISHED)

    def fail_node(self, name: str, error: str) -> None:
        """Write down that a node has failed, with the reason."""
        self._unsaved.pop(name, None)
        self._write(name, "FAILED", error)

    def fail_nodes(self, error: str) -> None:
        """Write down that all nodes at work have failed, as where an output cannot be saved."""
        for name in list(self._unsaved):
            self.fail_node(name, error)

    def has_begun(self, names: Iterable[str]) -> bool:
        """Whether one of these nodes was at work in the run before."""
        return any(self._read(name) for name in names)

    def require_nodes(self, names: Iterable[str], failed: bool = False) -> None:
        """Make sure that nodes have finished.

        Args:
            names: of the nodes.
            failed: the run is to count as failed, whatever they did.

        Raises:
            UnfinishedNodesError: one has not.
        """
        records = {name: self._read(name) for name in names}
        left = {name: each for name, each in records.items() if each.get("status") != FINISHED}
        if not left and not failed:
            return
        said = [f"{name} failed: {each['error']}" for name, each in left.items() if each.get("error")]
        open_nodes = {
            "not ended": [name for name, each in left.items() if each and not each.get("error")],
            "not run": [name for name, each in left.items() if not each],
        }
        for what, those in open_nodes.items():
            if those:
                more = f" and {len(those) - MAX_SHOWN} more" if len(those) > MAX_SHOWN else ""
                said.append(f"what has {what}: {', '.join(those[:MAX_SHOWN])}{more}")
        raise UnfinishedNodesError(f"run {self._run_id}: {'; '.join(said) or 'it was ended as failed'}")

    def finish(self, status: str | None) -> None:
        """End the run, or with no status leave it open for the other processes."""
        self._watch.stop()
        if status is not None:
            end(self.directory, status)

    def _write(self, name: str, status: str, error: str = "") -> None:
        with atomic_write(self._nodes / f"{slug(name)}.json") as part:
            part.write_text(json.dumps({"node": name, "status": status, "error": error}))

    def _read(self, name: str) -> dict[str, Any]:
        with suppress(OSError, ValueError):
            found: dict[str, Any] = json.loads((self._nodes / f"{slug(name)}.json").read_text())
            return found
        return {}
