"""What a sweep leaves: its figures in the parent run, and the best settings as a file that `kedro run` takes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerwise.sweeping.figures import plot_sweep_history, plot_sweep_importances
from layerwise.sweeping.job import Job
from layerwise.sweeping.space import merged
from layerwise.utils import Config, atomic_write

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial


class BestSettings(Config):
    """The best trial's settings.

    Args:
        number: the trial's.
        value: of the objective.
        settings: by dotted name.
        params: the runtime parameters of a run with them, nested.
    """

    number: int
    value: float
    settings: dict[str, Any]
    params: dict[str, Any]

    @classmethod
    def of(cls, trial: FrozenTrial, job: Job) -> BestSettings:
        """Return the settings of a trial."""
        settings = job.space.settings(trial.params)
        assert trial.value is not None
        return cls(
            number=trial.number, value=trial.value, settings=settings, params=merged(job.params, settings)
        )

    def write(self, job: Job) -> Path:
        """Write them as a file that `kedro run --config` takes; return its path."""
        import yaml

        path = job.best_file
        env = f" --env={job.env}" if job.env else ""
        head = (
            f"# The best of the trials of `kedro sweep --pipelines={job.pipeline}{env}`: trial {self.number}, "
            f"{job.objective.metric} {self.value:.6g}.\n# `kedro run --config={path.relative_to(job.project)}` trains "
            f"with it; what stands below params is for conf/{job.env or job.problem}/parameters.yml.\n"
        )
        run = {"pipelines": job.pipeline, "params": self.params} | ({"env": job.env} if job.env else {})
        with atomic_write(path) as part:
            part.write_text(head + yaml.safe_dump({"run": run}, sort_keys=False))
        return path


def log_report(client: Any, study: Study, job: Job, found: BestSettings) -> None:
    """Log the best settings, what each trial reached, and the figures, into the parent run."""
    from optuna.trial import TrialState

    run_id, metric = job.run_id, job.objective.metric
    client.log_artifact(run_id, str(found.write(job)))
    client.set_tag(run_id, "best_trial", str(found.number))
    client.log_metric(run_id, "best", found.value)
    values = {
        state: [
            (trial.number, trial.value)
            for trial in study.get_trials(states=(state,))
            if trial.value is not None
        ]
        for state in (TrialState.COMPLETE, TrialState.PRUNED)
    }
    history = plot_sweep_history(
        values[TrialState.COMPLETE],
        metric,
        stopped=values[TrialState.PRUNED],
        maximize=job.objective.maximize,
    )
    client.log_figure(run_id, history, "history.png")
    importances = _importances(study)
    if importances:
        client.log_figure(run_id, plot_sweep_importances(importances, metric), "importance.png")


def _importances(study: Study) -> dict[str, float]:
    """Return the part of the objective's variance that each parameter explains (Hutter et al. 2014); {} if unknown."""
    from optuna.importance import FanovaImportanceEvaluator, get_param_importances

    try:
        return get_param_importances(study, evaluator=FanovaImportanceEvaluator(seed=0))
    except (RuntimeError, ValueError):  # of too few trials, or where all of them are alike
        return {}
