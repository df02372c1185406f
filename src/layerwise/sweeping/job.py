"""What a sweep is, as its launcher hands it to its workers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from layerwise.sweeping.objective import Objective
from layerwise.sweeping.space import Space
from layerwise.utils import Config, UserError


class SweepError(UserError, RuntimeError):
    """A sweep cannot begin or go on; the message says what to do."""


class Job(Config):
    """A sweep.

    Args:
        project: its folder.
        env: the environment, whose problem is searched; None for the project's own.
        problem: its name, and that of the experiment.
        pipeline: its name.
        params: runtime parameters that all trials have.
        space: what is searched.
        objective: what is made small or large.
        study: the name of the study in the storage.
        storage: the URL of its database; empty for a file in the folder.
        trials: how many there shall be in the end.
        workers: processes of this computer.
        seed: of the sampler.
        uri: of the tracking server.
        run_id: the parent run; empty before there is one.
    """

    project: Path
    env: str | None
    problem: str
    pipeline: str
    params: dict[str, Any]
    space: Space
    objective: Objective
    study: str
    storage: str = ""
    trials: int = 1
    workers: int = 1
    seed: int = 0
    uri: str
    run_id: str = ""

    @property
    def folder(self) -> Path:
        """The folder of the problem's studies and of the settings that they found."""
        return self.project / "data/sweeps" / self.problem

    @property
    def name(self) -> str:
        """The study's name among those of the problem."""
        return self.study.rpartition("/")[2]

    @property
    def best_file(self) -> Path:
        """The file of the best settings."""
        return self.folder / f"{self.name}.yml"

    @property
    def url(self) -> str:
        """The URL of the study's database."""
        return self.storage or f"sqlite:///{self.folder / self.name}.db"


def require_optuna() -> None:
    """Raise a SweepError that says how to install Optuna where it is missing."""
    try:
        import optuna  # noqa: F401
    except ImportError:
        raise SweepError('kedro sweep needs Optuna: pip install "layerwise[sweep]"') from None
