"""Batches brought from the queue through the pool to their answers, a few at a time."""

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from msgspec import UNSET

from batchtui.clock import Clock
from batchtui.emulator.answers import batch_complete, batch_failed
from batchtui.emulator.errors import UPSTREAM_VALIDATION
from batchtui.emulator.models import MODELS
from batchtui.emulator.pool import Pool
from batchtui.emulator.queue import ALIVE_SECONDS, Claimed, Found, Queue, Submission
from batchtui.emulator.scoring import ChunkSize, score_requests
from batchtui.emulator.validation import ScoringRequest, read_kind, read_requests

MOST_AT_ONCE = 4
BEAT_SECONDS = ALIVE_SECONDS / 3
TIDY_SECONDS = 300.0
NO_ENVELOPE = "AiError: Upstream validation failed: required properties at '/' are 'requests'"

logger = logging.getLogger(__name__)

Given = ParamSpec("Given")
Back = TypeVar("Back")


class Runner:
    """Runs what is due, keeps what it holds alive, and drops what has expired; times are the clock's."""

    def __init__(
        self, open_queue: Callable[[], Queue], pool: Pool, clock: Clock, expiry: float, chunk_size: ChunkSize
    ) -> None:
        self._open_queue = open_queue
        self._pool = pool
        self._clock = clock
        self._expiry = expiry
        self._chunk_size = chunk_size
        self._queue: Queue | None = None
        self._thread: ThreadPoolExecutor | None = None
        self._wake = asyncio.Event()
        self._running: set[asyncio.Task[None]] = set()
        self._drive_task: asyncio.Task[None] | None = None
        self._tidy_at = 0.0

    async def start(self) -> None:
        """Open the queue and begin. Raises EmulatorError where the queue cannot be used."""
        thread = ThreadPoolExecutor(1, thread_name_prefix="emulator-queue")
        try:
            self._queue = await asyncio.get_running_loop().run_in_executor(thread, self._open_queue)
        except BaseException:
            thread.shutdown(wait=False)
            raise
        self._thread = thread
        self._drive_task = asyncio.create_task(self._drive())

    async def stop(self) -> None:
        """Leave off; what is not finished stays in the queue for whoever comes next."""
        tasks = [*self._running, *([self._drive_task] if self._drive_task else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._queue is not None:
            await self._in_thread(self._queue.close)
        if self._thread is not None:
            self._thread.shutdown()
        self._queue = self._thread = self._drive_task = None

    async def add(self, batch: Submission) -> None:
        """Put a batch into the queue; it is durable when this returns."""
        await self._in_thread(self._opened().add, batch, self._clock.now())
        self._wake.set()

    async def find(self, request_id: str, account: str, model: str) -> Found | None:
        """What the queue knows of a batch; None where it is unknown or has expired."""
        found = await self._in_thread(self._opened().find, request_id, account, model)
        return None if found is None or found.expires_at <= self._clock.now() else found

    async def _drive(self) -> None:
        while True:
            self._wake.clear()
            now = self._clock.now()
            try:
                pause = await self._step(now)
            except Exception:
                # Whatever is wrong with one step, the batches of the next must not wait for ever.
                logger.exception("the emulator's queue did not answer; trying again")
                pause = BEAT_SECONDS
            await self._rest(now + pause)

    async def _step(self, now: float) -> float:
        """Start what is due; the seconds from `now` until there may be more to do."""
        queue = self._opened()
        if now >= self._tidy_at:
            await self._in_thread(queue.forget_expired, now)
            self._tidy_at = now + TIDY_SECONDS
        due = await self._in_thread(queue.next_due, now)
        free = MOST_AT_ONCE - len(self._running)
        if due is not None and due <= now and free > 0:
            for claimed in await self._in_thread(queue.claim, now, free):
                task = asyncio.create_task(self._run(claimed))
                self._running.add(task)
                task.add_done_callback(self._one_less)
            return 0.0
        if due is not None or self._running:
            await self._in_thread(queue.say_alive, now)
        return BEAT_SECONDS if due is None or due <= now else min(BEAT_SECONDS, due - now)

    async def _rest(self, until: float) -> None:
        """Until it is so late, or there is something new."""
        seconds = until - self._clock.now()
        if seconds <= 0 or self._wake.is_set():
            return
        waits = [asyncio.create_task(self._clock.sleep(seconds)), asyncio.create_task(self._wake.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    def _one_less(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._wake.set()

    async def _run(self, claimed: Claimed) -> None:
        try:
            answer = await self._answer(claimed)
            ready_at = max(self._clock.now(), claimed.started_at + claimed.plan.running)
            await self._in_thread(self._opened().finish, claimed.request_id, answer, ready_at + self._expiry)
        except asyncio.CancelledError:
            raise
        except Exception:
            logger.exception("batch %s could not be run", claimed.request_id)
            failed = batch_failed(claimed.request_id, claimed.model, 8008, "AiError: Internal error")
            with contextlib.suppress(sqlite3.Error):
                expires_at = self._clock.now() + self._expiry
                await self._in_thread(self._opened().finish, claimed.request_id, failed, expires_at)

    async def _answer(self, claimed: Claimed) -> bytes:
        plan = claimed.plan
        if plan.failed is not None:
            return batch_failed(claimed.request_id, claimed.model, UPSTREAM_VALIDATION, plan.failed)
        requests = await asyncio.to_thread(_requests_of, claimed.body)
        outcomes = await score_requests(self._pool, MODELS[claimed.model], requests, self._chunk_size)
        return await asyncio.to_thread(batch_complete, requests, outcomes, plan)

    def _opened(self) -> Queue:
        if self._queue is None:
            raise RuntimeError("the emulator has not been started")
        return self._queue

    async def _in_thread(
        self, function: Callable[Given, Back], *given: Given.args, **named: Given.kwargs
    ) -> Back:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, lambda: function(*given, **named))


def _requests_of(body: bytes) -> list[ScoringRequest]:
    kind = read_kind(body)
    return [] if kind.requests is UNSET else list(read_requests(kind.requests))
