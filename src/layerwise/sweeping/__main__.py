"""`python -m layerwise.sweeping`: the process of a worker, which the launcher starts.

It gets its job as a line of JSON on its standard input, and ends within an epoch when that input is closed, as it is
when the launcher dies by whatever means.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import threading

QUIET = ("kedro", "kedro_viz", "layerwise", "py.warnings")


def main() -> None:
    """Work for the launcher that started this process."""
    # Ctrl-C reaches the launcher, which tells its workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    given, over = json.loads(sys.stdin.readline()), threading.Event()

    def wait_for_the_end() -> None:
        sys.stdin.read()
        over.set()

    threading.Thread(target=wait_for_the_end, daemon=True).start()
    # Kedro's import sets the levels of its loggers, and reports that it does: a filter outlasts it.
    logging.getLogger("kedro.framework.project").addFilter(lambda record: record.levelno > logging.INFO)
    from kedro.framework.startup import bootstrap_project

    from layerwise.sweeping.job import Job
    from layerwise.sweeping.worker import Worker

    job = Job.model_validate(given["job"])
    os.chdir(job.project)
    bootstrap_project(job.project)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.ERROR)
    # The line of a trial says why it failed; the run with the best settings warns of its rows.
    logging.getLogger("kedro.pipeline.node").setLevel(logging.CRITICAL)
    # An error that the user can correct is shown as its message alone by the hooks of the trials' sessions.
    Worker(job, given["slot"], over.is_set).work()


if __name__ == "__main__":
    main()
