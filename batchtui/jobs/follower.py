"""Follows all open jobs: claims what is due, calls the service a few parts at a time, sleeps in between."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from batchtui.clock import Clock
from batchtui.jobs.calls import Calls
from batchtui.jobs.claim_store import ClaimStore
from batchtui.jobs.errors import StoreError
from batchtui.jobs.outcomes import Again
from batchtui.jobs.parts import Lane, Part
from batchtui.jobs.schedule import FollowPolicy
from batchtui.jobs.waiting import event_or_time

log = logging.getLogger("batchtui.jobs")

LOOK_SECONDS = 0.25
"""How often a change made by another process, or a jump of the clock, is looked for."""

CLOCK_JUMP = 5.0
STORE_WAIT = 5.0
"""Seconds until a store that failed is tried again."""

Result = TypeVar("Result")


class ThreadWorker:
    """Blocking work in a few threads of its own."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="batchtui-jobs")

    async def run(self, work: Callable[[], Result]) -> Result:
        """What `work` returns or raises, done in a thread; it is finished even if the caller is cancelled."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def close(self) -> None:
        """Wait for what runs, and end the threads."""
        self._threads.shutdown()


class Follower:
    """The loop over all lanes; run it in one task, and cancel that task to end it."""

    def __init__(
        self, claims: ClaimStore, calls: Calls, clock: Clock, policy: FollowPolicy, worker: ThreadWorker
    ) -> None:
        self._claims = claims
        self._calls = calls
        self._clock = clock
        self._policy = policy
        self._worker = worker
        self._wake = asyncio.Event()
        self._due_at: float | None = None
        self._active: dict[Lane, set[asyncio.Task[None]]] = {lane: set() for lane in Lane}
        self._paused: dict[str, float] = {}
        self._order = list(Lane)

    def wake(self) -> None:
        """Look for due parts now; call it on the event loop."""
        self._wake.set()

    async def run(self) -> None:
        """Follow until cancelled; then batches just being sent get a short while to be answered."""
        looking = asyncio.create_task(self._look())
        try:
            while True:
                self._wake.clear()
                try:
                    self._due_at = await self._claim_all()
                except Exception as error:
                    _log_trouble(error)
                    self._due_at = self._clock.now() + STORE_WAIT
                seconds = None if self._due_at is None else max(0.0, self._due_at - self._clock.now())
                await event_or_time(self._wake, self._clock, seconds)
        finally:
            looking.cancel()
            await self._end()

    async def _claim_all(self) -> float | None:
        monotonic = self._clock.monotonic()
        self._paused = {backend: until for backend, until in self._paused.items() if until > monotonic}
        times = [self._clock.now() + until - monotonic for until in self._paused.values()]
        # Each round the other lane comes first, so that a thousand sends do not hold up all asks.
        self._order.reverse()
        for lane in self._order:
            room = self._room(lane)
            if room <= 0:
                continue
            claimed = await self._worker.run(lambda: self._claims.claim(lane, room, tuple(self._paused)))  # noqa: B023
            for part in claimed.parts:
                task = asyncio.create_task(self._handle(part))
                self._active[lane].add(task)
                task.add_done_callback(self._active[lane].discard)
            if claimed.next_at is not None and self._room(lane) > 0:
                times.append(claimed.next_at)
        return min(times, default=None)

    def _room(self, lane: Lane) -> int:
        most = self._policy.submits_at_once if lane.sends else self._policy.polls_at_once
        return most - len(self._active[lane])

    async def _handle(self, part: Part) -> None:
        try:
            outcome = await self._calls.handle(part)
            if isinstance(outcome, Again) and outcome.pauses_backend:
                wait = outcome.next_at - self._clock.now()
                self._paused[part.backend] = self._clock.monotonic() + wait
        except StoreError as error:
            log.error("part %s of job %s waits: %s", part.part, part.job_id, error)
            await self._clock.sleep(STORE_WAIT)
            with contextlib.suppress(StoreError):
                await self._worker.run(lambda: self._claims.let_go(part))
        except Exception:
            log.exception("part %s of job %s", part.part, part.job_id)
        finally:
            self._wake.set()

    async def _look(self) -> None:
        """Wake the loop when something is due by the wall clock, and keep leases in order."""
        begun = self._clock.now() - self._clock.monotonic()
        await self._tend(self._claims.forgive_the_clock)
        await self._tend(self._claims.recover)
        self._wake.set()
        tended_at = self._clock.monotonic()
        while True:
            await self._clock.sleep(LOOK_SECONDS)
            now, monotonic = self._clock.now(), self._clock.monotonic()
            offset = now - monotonic
            if offset < begun - CLOCK_JUMP:
                await self._tend(self._claims.forgive_the_clock)
                self._wake.set()
            begun = offset
            if monotonic - tended_at >= self._policy.lease_seconds / 3:
                tended_at = monotonic
                if any(self._active.values()):
                    await self._tend(self._claims.renew)
                await self._tend(self._claims.recover)
                self._wake.set()
            if self._due_at is not None and self._due_at <= now:
                self._wake.set()

    async def _tend(self, work: Callable[[], None]) -> None:
        try:
            await self._worker.run(work)
        except Exception as error:
            _log_trouble(error)

    async def _end(self) -> None:
        for lane in Lane:
            if not lane.sends:
                for task in self._active[lane]:
                    task.cancel()
        sending = [task for lane in Lane if lane.sends for task in self._active[lane]]
        if sending:
            await asyncio.wait(sending, timeout=self._policy.closing_seconds)
        for task in (every := [task for tasks in self._active.values() for task in tasks]):
            task.cancel()
        await asyncio.gather(*every, return_exceptions=True)
        await self._tend(self._claims.release)


def _log_trouble(error: Exception) -> None:
    if isinstance(error, StoreError):
        log.error("the store can't be used: %s", error)
    else:
        log.error("the follower goes on after something unforeseen", exc_info=error)
