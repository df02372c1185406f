"""A SLURM of the tests' own: its controller and one node, on 127.0.0.1."""

import os
import shutil
import socket
import subprocess
import time

import pytest
from helpers.ports import free_port

CONFIGURATION = """
ClusterName=tests
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmdPort={node}
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
AuthType=auth/none
CredType=cred/none
SlurmUser={user}
SlurmdUser={user}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
MailProg=/bin/true
MpiDefault=none
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 RealMemory=8000
PartitionName=all Nodes={host} Default=YES
"""


class Slurm:
    """A controller and a node below a folder, while its context lasts; `environment` has commands find them."""

    def __init__(self, folder):
        self.folder = folder / "slurm"
        self.environment = {"SLURM_CONF": str(self.folder / "slurm.conf")}
        self.servers = []

    def __enter__(self):
        programs = [shutil.which(name, path=os.defpath + ":/usr/sbin") for name in ("slurmctld", "slurmd")]
        if not all(programs):
            pytest.skip("SLURM is not installed: Debian's package is slurm-wlm")
        for name in ("state", "spool"):
            (self.folder / name).mkdir(parents=True)
        given = {"host": socket.gethostname().split(".")[0], "user": os.environ.get("USER", "root")}
        ports = {"controller": free_port(), "node": free_port()}
        text = CONFIGURATION.format(folder=self.folder, **given, **ports)
        (self.folder / "slurm.conf").write_text(text)
        with (self.folder / "said").open("w") as said:
            for program in programs:
                command = [program, "-D", "-f", self.folder / "slurm.conf"]
                self.servers.append(subprocess.Popen(command, stdout=said, stderr=said))
        self.wait_until(lambda: "idle" in self.ask("sinfo", "-h", "-o", "%T"), 30)
        return self

    def __exit__(self, *_):
        if len(self.servers) == 2:
            self.ask("scancel", f"--user={os.getuid()}")
            self.wait_for_jobs(60)
        for server in reversed(self.servers):
            server.terminate()
            server.wait(30)

    def ask(self, *command):
        """Return what one of SLURM's commands prints."""
        return subprocess.run(
            command, env=os.environ | self.environment, capture_output=True, text=True
        ).stdout.strip()

    def wait_until(self, holds, seconds):
        """Wait until something holds; after so many seconds fail with what the servers wrote."""
        end = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > end:
                logs = [path.read_text()[-2000:] for path in sorted(self.folder.glob("s*.log"))]
                pytest.fail("\n".join([self.ask("squeue", "--array"), *logs]))
            time.sleep(0.2)

    def wait_for_jobs(self, seconds=300):
        """Wait until no job is in the queue."""
        self.wait_until(lambda: not self.ask("squeue", "-h"), seconds)
