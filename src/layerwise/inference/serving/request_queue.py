"""Requests that wait are answered together: a table of many single rows costs little more than one of a single row.

pandas takes some 15 ms to read, check and encode a table of one row and hardly more for a hundred. So while one lot is
answered, the requests that arrive wait, and become the next lot. A row has the same bits in any lot
(`layerwise.inference.reproducible`).
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from layerwise.data.reading import Limits
from layerwise.inference.model import TrainedModel
from layerwise.inference.serving.request_body import DEFAULT_LIMITS
from layerwise.inference.serving.responses import Note, Response, handle_request, handle_requests

# A body up to this length is one of few rows: it waits for no longer ones.
SHORT_BYTES = 64 * 1024
MAX_TOGETHER = 256


class RequestQueue:
    """Answers short requests in lots, one lot at a time, and each long one by itself beside them.

    Args:
        model: what is asked.
        limits: of a request's rows, columns and cells.
    """

    def __init__(
        self, model: TrainedModel, limits: Limits = DEFAULT_LIMITS, note: Note | None = None
    ) -> None:
        self.model, self.limits, self.note = model, limits, note
        self._waiting: list[tuple[bytes, str | None, asyncio.Future[Response]]] = []
        self._task: asyncio.Task[None] | None = None
        self._short = ThreadPoolExecutor(1, "short-requests")
        self._long = ThreadPoolExecutor(1, "long-requests")

    async def answer(self, body: bytes, content_type: str | None) -> Response:
        """Return the response to a request."""
        loop = asyncio.get_running_loop()
        if len(body) > SHORT_BYTES:
            arguments = (self.model, body, content_type, self.limits, self.note)
            return await loop.run_in_executor(self._long, handle_request, *arguments)
        future: asyncio.Future[Response] = loop.create_future()
        self._waiting.append((body, content_type, future))
        if self._task is None or self._task.done():
            self._task = loop.create_task(self._answer_all())
        return await future

    async def _answer_all(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            lot, self._waiting = self._waiting[:MAX_TOGETHER], self._waiting[MAX_TOGETHER:]
            bodies = [(body, content_type) for body, content_type, _ in lot]
            try:
                found = await loop.run_in_executor(
                    self._short, handle_requests, self.model, bodies, self.limits, self.note
                )
            except BaseException as error:
                for _, _, future in lot:
                    if not future.done():
                        future.set_exception(error)
                raise
            for (_, _, future), response in zip(lot, found, strict=True):
                if not future.done():  # cancelled, if its client went away
                    future.set_result(response)
