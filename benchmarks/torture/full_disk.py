"""Fill the disk at each writing of a run, make room again, go on with the run, and compare what it comes to.

    python benchmarks/torture/full_disk.py --pipelines mlp,rbm --places 28 [--seed 1]

Needs the right to mount a small disk (tmpfs). At the n-th file that a run opens for writing, its database's among
them, the disk is filled to the last byte; so places spread over the run are tried. Counts how the run ended (done, a
sentence, a traceback) and what differs from an undisturbed run after it has gone on with room: weights, figures,
metrics, registered versions, status. The exit status is 1 where anything does, or where there is a traceback.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import random
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from forks import status_of
from runs import Runs, golden

ENDS = {0: "done all the same", 1: "a traceback", 2: "a sentence", 3: "nothing to go on with"}
WRITING = os.O_WRONLY | os.O_RDWR


class Disk:
    """A disk that can be filled.

    Args:
        path: where it is mounted.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.ballast = path, path / "ballast"

    def fill(self) -> None:
        """Fill it to the last byte."""
        number = os.open(self.ballast, os.O_WRONLY | os.O_CREAT)
        for size in (1 << 20, 4096, 1):
            with contextlib.suppress(OSError):
                while True:
                    os.write(number, b"\0" * size)
        os.close(number)

    def make_room(self) -> None:
        """Take all of it back."""
        self.ballast.unlink(missing_ok=True)

    def count_writings(self, fill_at: int, last: Path) -> None:
        """Write down in a file how many files are opened for writing here; fill the disk at one of them."""
        n, own = 0, str(self.path)

        def watch(event: str, arguments: tuple[object, ...]) -> None:
            nonlocal n
            if event == "open":
                path, _, flags = arguments
                writes = isinstance(flags, int) and flags & WRITING
            elif event == "sqlite3.connect":
                path, writes = arguments[0], True
            else:
                return
            if not writes or not os.path.abspath(os.fsdecode(str(path))).startswith(own):
                return
            if os.path.basename(str(path)) == self.ballast.name:
                return
            n += 1
            os.pwrite(number, f"{n} {str(path)[-90:]:100}".encode(), 0)
            if n == fill_at:
                self.fill()

        number = os.open(last, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        sys.addaudithook(watch)


def main() -> int:
    """Fill the disk as often as the command says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--places", type=int, default=28, help="of each pipeline")
    parser.add_argument("--pipelines", default="mlp")
    given = parser.parse_args()
    os.environ.update(golden.THREADS | golden.QUIET)
    for name in ("MLFLOW_TRACKING_URI", "LAYERWISE_ARTIFACTS"):
        os.environ.pop(name, None)
    from kedro.framework.startup import bootstrap_project

    logging.disable(logging.CRITICAL)
    rng, counts = random.Random(given.seed), Counter[str]()
    with tempfile.TemporaryDirectory() as scratch, tempfile.TemporaryDirectory() as name:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", name], check=True)
        os.environ["TMPDIR"] = tempfile.tempdir = scratch
        try:
            with contextlib.chdir(name):
                project = golden.Project(Path(name).resolve())
                bootstrap_project(project.path)
                runs, disk, last = Runs(project), Disk(project.path), Path(scratch, "last.txt")
                for pipeline in given.pipelines.split(","):
                    expected, _ = runs.whole(pipeline)
                    status_of(
                        lambda p=pipeline: runs.run(
                            p, f"{p}_counted", False, lambda: disk.count_writings(0, last)
                        )
                    )
                    runs.come_to(f"{pipeline}_counted")
                    writings = int(last.read_text().split()[0])
                    places = sorted(rng.sample(range(1, writings + 1), min(given.places, writings)))
                    print(f"{pipeline}: {writings} writings, of which {len(places)} are tried", flush=True)
                    for place in places:
                        problem = f"{pipeline}_{place}"
                        end = status_of(
                            lambda p=pipeline, problem=problem, place=place: runs.run(
                                p, problem, False, lambda: disk.count_writings(place, last)
                            )
                        )
                        where = last.read_text().split()[-1]
                        disk.make_room()
                        counts[f"full: {ENDS.get(end, end)}"] += 1
                        again = status_of(
                            lambda p=pipeline, problem=problem: runs.run(p, problem, resume=True)
                        )
                        # A run that has no checkpoint is begun anew; one that is done has stored what it kept.
                        if again == 3 and not (end == 0 and runs.stage(problem) == "finished"):
                            again = status_of(
                                lambda p=pipeline, problem=problem: runs.run(p, problem, resume=False)
                            )
                        counts["did not go on"] += again in (1, 2)
                        found = runs.come_to(problem)
                        differ = [key for key in expected if found.get(key) != expected[key]]
                        if end == 1 or again in (1, 2) or differ:
                            print(
                                f"  {problem} ({where}): {ENDS.get(end, end)}, then {ENDS.get(again, again)}; "
                                f"differ: {differ}",
                                flush=True,
                            )
                        counts["as if nothing had happened"] += not differ
                        counts["places"] += 1
                    print(dict(counts), flush=True)
        finally:
            subprocess.run(["umount", name], check=True)
    right = counts["as if nothing had happened"] == counts["places"]
    return 0 if right and not counts["full: a traceback"] else 1


if __name__ == "__main__":
    sys.exit(main())
