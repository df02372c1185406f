"""What a server takes of strangers: how much, how fast, and how many at a time."""

from __future__ import annotations

from pydantic import Field, PositiveFloat, PositiveInt

from layerwise.data.reading import Limits
from layerwise.utils import Config

MAX_COLUMNS = 20_000
MAX_CELLS = 40_000_000


class ServerSettings(Config):
    """The limits of a server.

    Args:
        max_bytes: of a body, read before anything is parsed; parsing holds up all other requests.
        max_rows: of a request.
        max_connections: at a time; one more is told so and closed.
        max_waiting: requests that are being read or wait to be answered; one more gets 503.
        header_seconds: until a connection has sent the head of a request.
        body_seconds: until it has sent the body.
        response_seconds: until it has taken the response.
        stop_seconds: that requests which have begun get when the server is told to stop.
        metrics: whether `GET /metrics` answers, in the text format of Prometheus.
        openapi: whether `GET /openapi.json` answers, with what the server takes and says.
        access_log: file for a line of JSON for each request, `-` for standard output; none if empty.
        row_log: folder for a line of JSON for each row that a supervised model was asked about, with its answer; none
            if empty.
        row_log_bytes: of its files together; the oldest are removed.
        row_log_columns: of the rows that are kept beside those which the model reads, such as a key.
    """

    max_bytes: PositiveInt = 8 * 1024 * 1024
    max_rows: PositiveInt = 50_000
    max_connections: PositiveInt = 256
    max_waiting: PositiveInt = 128
    header_seconds: PositiveFloat = 10.0
    body_seconds: PositiveFloat = 30.0
    response_seconds: PositiveFloat = 60.0
    stop_seconds: float = Field(default=10.0, ge=0)
    metrics: bool = False
    openapi: bool = False
    access_log: str = ""
    row_log: str = ""
    row_log_bytes: int = Field(default=256 * 1024 * 1024, ge=1024)
    row_log_columns: tuple[str, ...] = ()

    @property
    def limits(self) -> Limits:
        """How many rows, columns and cells a body may hold."""
        return Limits(self.max_rows, MAX_COLUMNS, MAX_CELLS)
