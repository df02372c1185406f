"""The study in Optuna's storage: made or found by the launcher, opened by the workers, and how much of it is done."""

from __future__ import annotations

import logging
import os
import socket
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from layerwise.sweeping.job import Job, SweepError
from layerwise.utils import derive_seed, mask_secrets

if TYPE_CHECKING:
    from optuna import Study, Trial
    from optuna.storages import RDBStorage
    from optuna.trial import FrozenTrial

T = TypeVar("T")

# A worker says this often that it lives; a trial whose worker has been silent for so long is given to another one.
HEARTBEAT_SECONDS, GRACE_SECONDS = 5, 30
# So often is a trial given to another worker whose own was killed.
RETRIES = 3
# A server of the storage may be away for so long within a sweep.
AWAY_SECONDS = 300
# So many trials that cannot be trained, and none that can, are enough.
HOPELESS = 5
# Trials before the first that may be stopped early, and epochs before any is.
COMPLETE_BEFORE_PRUNING, EPOCHS_BEFORE_PRUNING = 8, 5


def _storage(url: str) -> RDBStorage:
    import optuna
    from sqlalchemy import event

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
    storage = optuna.storages.RDBStorage(
        url,
        heartbeat_interval=HEARTBEAT_SECONDS,
        grace_period=GRACE_SECONDS,
        heartbeat_stale_trial_callback=_run_again,
        # A connection of before the server was started anew is found and replaced.
        engine_kwargs={"pool_pre_ping": True},
    )
    event.listen(storage.engine, "do_connect", _connect)
    return storage


def _first_storage(url: str) -> RDBStorage:
    """Return the storage of a URL that nobody has tried yet.

    Raises:
        SweepError: it cannot be used.
    """
    try:
        return _storage(url)
    except Exception as error:
        first = (str(error).splitlines() or [repr(error)])[0]
        raise SweepError(
            f"the storage {mask_secrets(url)} cannot be used: {first}. It takes a URL of SQLAlchemy, such as "
            "sqlite:///study.db or postgresql://user@host/database"
        ) from error


def _connect(dialect: Any, record: Any, args: Any, options: Any) -> Any:
    """Return a connection, once the server answers."""
    return _once_it_answers(lambda: dialect.connect(*args, **options), dialect.loaded_dbapi.OperationalError)


def _once_it_answers(connect: Callable[[], T], away: type[Exception]) -> T:
    """Return what `connect` returns, once the server answers, which is started anew perhaps.

    Args:
        connect: asks the server.
        away: what it raises while the server does not answer.

    Raises:
        Exception: `away`, for AWAY_SECONDS.
    """
    until = time.monotonic() + AWAY_SECONDS
    while True:
        try:
            return connect()
        except away:
            if time.monotonic() > until:
                raise
            time.sleep(1)


def begin_study(job: Job, resume: bool) -> tuple[Study, bool]:
    """Return the sweep's study, and whether this command made it or goes on with it, and did not join it.

    Raises:
        SweepError: there is none to go on with, there is one already, or it is of another space.
    """
    import optuna

    own = job.url.startswith("sqlite:")
    if own:
        job.folder.mkdir(parents=True, exist_ok=True)
    storage = _first_storage(job.url)
    there = job.study in optuna.get_all_study_names(storage)
    if resume and not there:
        raise SweepError(f"there is no study {job.study} to go on with: leave --resume out")
    if there and own and not resume:
        raise SweepError(
            f"there is a study {job.study} already: --resume goes on with it, --name=NAME begins another one"
        )
    study = optuna.create_study(
        study_name=job.study,
        storage=storage,
        direction="maximize" if job.objective.maximize else "minimize",
        load_if_exists=True,
    )
    about = {"pipeline": job.pipeline, "space": job.space.model_dump_json(), "metric": job.objective.metric}
    if there:
        for name, value in about.items():
            if study.user_attrs.get(name) != value:
                raise SweepError(
                    f"the study {job.study} has another {name}: give the same as then, or --name=NAME for a new study"
                )
    else:
        for name, value in about.items():
            study.set_user_attr(name, value)
    return study, resume or not there


def load_study(job: Job, slot: int = 0) -> Study:
    """Return the study for a worker.

    Args:
        job: of the launcher, which has made it.
        slot: the worker's number among those of the sweep.
    """
    import optuna
    from sqlalchemy.exc import OperationalError

    storage = _once_it_answers(lambda: _storage(job.url), OperationalError)
    study = optuna.load_study(study_name=job.study, storage=storage)
    # A study that goes on shall not draw again what it drew before.
    seed = derive_seed(job.seed, "sweep", job.study, str(slot), str(len(study.trials))) % 2**32
    study.sampler = optuna.samplers.TPESampler(seed=seed, constant_liar=job.workers > 1)
    study.pruner = optuna.pruners.MedianPruner(COMPLETE_BEFORE_PRUNING, EPOCHS_BEFORE_PRUNING)
    return study


def count_done(study: Study) -> int:
    """Return how many trials have ended, with a value or before it; another takes the place of one given up."""
    return len(_trials(study, "COMPLETE", "PRUNED"))


def count_running(study: Study) -> int:
    """Return how many trials some worker is at."""
    return len(_trials(study, "RUNNING"))


def _trials(study: Study, *states: str) -> list[FrozenTrial]:
    """Return the trials in some of Optuna's states; not to be changed."""
    from optuna.trial import TrialState

    return study.get_trials(deepcopy=False, states=[TrialState[state] for state in states])


def give_back(study: Study, number: int) -> None:
    """Have another worker run the trial again that this one leaves."""
    _run_again(study, study.trials[number], most=None)


def _run_again(study: Study, trial: FrozenTrial, most: int | None = RETRIES) -> None:
    from optuna.storages import RetryHeartbeatStaleTrialCallback

    # They are of the process that ran it.
    trial.user_attrs = {}
    RetryHeartbeatStaleTrialCallback(most)(study, trial)


def note_process(trial: Trial) -> None:
    """Note with a trial which process runs it."""
    trial.set_user_attr("process", _process_name(os.getpid()))


def give_back_of_process(study: Study, pid: int) -> None:
    """Have another worker run the trial again of a worker of this computer that was killed."""
    for each in _trials(study, "RUNNING"):
        if each.user_attrs.get("process") == _process_name(pid):
            _fail(study, each.number)


def _fail(study: Study, number: int) -> None:
    from optuna.trial import TrialState

    with suppress(ValueError):  # another one has found meanwhile that its worker is gone
        study.tell(number, state=TrialState.FAIL)
        _run_again(study, study.trials[number])


def _process_name(pid: int) -> str:
    return f"{socket.gethostname()} {pid}"


def fail_stale(study: Study) -> None:
    """Give the trials whose workers are gone to others."""
    from optuna.storages import fail_stale_trials

    fail_stale_trials(study)
    before = datetime.now() - timedelta(seconds=GRACE_SECONDS)
    for each in _trials(study, "RUNNING"):
        # Its worker was killed before it could say anything, so that it has no heart to fall silent.
        if "process" not in each.user_attrs and each.datetime_start and each.datetime_start < before:
            _fail(study, each.number)


def require_hope(study: Study) -> None:
    """Raise a SweepError if all of the first trials had settings that cannot be trained."""
    if _trials(study, "COMPLETE"):
        return
    errors = _errors(study)
    if len(errors) >= HOPELESS:
        raise SweepError(
            f"none of the first {len(errors)} trials could be trained; the last one: {errors[-1]}"
        )


def _errors(study: Study) -> list[str]:
    """Return why trials could not be trained."""
    trials = study.get_trials(deepcopy=False)
    return [each.user_attrs["error"] for each in trials if "error" in each.user_attrs]


def best_trial(study: Study) -> FrozenTrial:
    """Return the best trial.

    Raises:
        SweepError: none has ended with a value.
    """
    try:
        return study.best_trial
    except ValueError:
        errors = _errors(study)
        last = f"; the last one: {errors[-1]}" if errors else ""
        raise SweepError(f"no trial of the study {study.study_name} has ended with a value{last}") from None
