"""What a server says of its requests: counts and times for Prometheus, and a line of JSON for each."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from contextlib import suppress
from typing import IO

# Upper ends of the classes of response times, in seconds.
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
ROUTES = ("/ping", "/health", "/version", "/metrics", "/openapi.json", "/invocations")


class RequestMonitor:
    """Counts requests, and writes a line for each.

    Args:
        log_file: where to, `-` for standard output; nothing is written if it is empty.
    """

    def __init__(self, log_file: str = "") -> None:
        self._log: IO[str] | None = None
        if log_file:
            self._log = sys.stdout if log_file == "-" else open(log_file, "a", buffering=1)  # noqa: SIM115
        self._counts: Counter[tuple[str, int]] = Counter()
        self._slower: Counter[float] = Counter()
        self._seconds = 0.0

    def note(
        self, client: str, method: str, path: str, status: int, received: int, sent: int, seconds: float
    ) -> None:
        """Count a request that was answered."""
        # Not every path that a stranger thinks of: each would be a series of its own.
        self._counts[path if path in ROUTES else "other", status] += 1
        self._seconds += seconds
        for end in BUCKETS:
            if seconds <= end:
                self._slower[end] += 1
        if self._log is None:
            return
        line = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "client": client,
            "method": method[:20],
            "path": path[:200],
            "status": status,
            "received": received,
            "sent": sent,
            "seconds": round(seconds, 6),
        }
        with suppress(OSError, ValueError):  # a full disk ends no request
            self._log.write(json.dumps(line) + "\n")

    def text(self, connections: int, refused: int, waiting: int) -> str:
        """Return all counts in the text format of Prometheus.

        Args:
            connections: that are open.
            refused: connections, so far.
            waiting: requests that wait for an answer.
        """
        n = sum(self._counts.values())
        lines = ["# TYPE layerwise_requests_total counter"]
        lines += [
            f'layerwise_requests_total{{path="{path}",status="{status}"}} {count}'
            for (path, status), count in sorted(self._counts.items())
        ]
        lines.append("# TYPE layerwise_request_seconds histogram")
        lines += [f'layerwise_request_seconds_bucket{{le="{end:g}"}} {self._slower[end]}' for end in BUCKETS]
        lines += [
            f'layerwise_request_seconds_bucket{{le="+Inf"}} {n}',
            f"layerwise_request_seconds_sum {self._seconds:.6f}",
            f"layerwise_request_seconds_count {n}",
        ]
        for name, kind, value in (
            ("connections", "gauge", connections),
            ("connections_refused_total", "counter", refused),
            ("requests_waiting", "gauge", waiting),
        ):
            lines += [f"# TYPE layerwise_{name} {kind}", f"layerwise_{name} {value}"]
        return "\n".join(lines) + "\n"

    def close(self) -> None:
        """Close the file."""
        if self._log is not None and self._log is not sys.stdout:
            self._log.close()
