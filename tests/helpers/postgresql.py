"""A PostgreSQL of the tests' own, on 127.0.0.1, that can be stopped and started again."""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from helpers.ports import free_port


def find_program(name):
    """The path of one of PostgreSQL's programs, which Debian keeps off the PATH."""
    found = shutil.which(name) or next(
        (str(path) for path in sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))), None
    )
    if found is None:
        pytest.skip(f"PostgreSQL is not installed: no {name} on the PATH or in /usr/lib/postgresql")
    return found


class PostgreSQL:
    """A server; `uri` is the address of its database."""

    def __init__(self):
        initdb, self.program = find_program("initdb"), find_program("postgres")
        self.folder = Path("/tmp") / f"layerwise_postgresql_{os.getpid()}_{free_port()}"
        self.folder.mkdir()
        # It refuses to run as root.
        user = {"user": "nobody", "group": "nogroup"} if os.getuid() == 0 else {}
        if user:
            shutil.chown(self.folder, "nobody", "nogroup")
        self.data, self.port = self.folder / "data", free_port()
        self.options = {
            "stdout": subprocess.DEVNULL,
            "stderr": subprocess.DEVNULL,
            "cwd": self.folder,
            **user,
        }
        subprocess.run(
            [initdb, "-D", self.data, "-U", "mlflow", "-A", "trust", "--no-sync"], check=True, **self.options
        )
        self.uri = f"postgresql://mlflow@127.0.0.1:{self.port}/postgres"
        self.start()

    def start(self):
        flags = ["-c", "fsync=off", "-c", "listen_addresses=127.0.0.1", "-k", self.folder]
        self.server = subprocess.Popen(
            [self.program, "-D", self.data, "-p", str(self.port), *flags], **self.options
        )
        # It writes "ready" there once it answers queries; its port is open before.
        status = self.data / "postmaster.pid"
        for _ in range(300):
            with contextlib.suppress(OSError):
                lines = status.read_text().splitlines()
                if lines[:1] == [str(self.server.pid)] and lines[-1].strip() == "ready":
                    return
            time.sleep(0.1)
        pytest.fail("PostgreSQL did not start")

    def stop(self):
        self.server.send_signal(signal.SIGINT)
        self.server.wait(60)

    def remove(self):
        self.stop()
        shutil.rmtree(self.folder)
