"""Who is told which jobs changed, whichever process changed them."""

import asyncio
import contextlib
import logging
from collections.abc import Callable

from batchtui.clock import Clock
from batchtui.jobs.database import Database
from batchtui.jobs.errors import StoreError
from batchtui.jobs.follower import ThreadWorker
from batchtui.jobs.waiting import event_or_time

log = logging.getLogger("batchtui.jobs")

Listener = Callable[[frozenset[int]], None]

LOOK_SECONDS = 0.25
"""How often another process's writes are looked for; one's own are told sooner."""

_COALESCED_SECONDS = 0.05


class Changes:
    """Listeners, and the loop that tells them the ids of the jobs that changed, many at once."""

    def __init__(self, database: Database, clock: Clock, worker: ThreadWorker) -> None:
        self._database = database
        self._clock = clock
        self._worker = worker
        self._listeners: list[Listener] = []
        with database.read() as connection:
            self._seen = connection.execute("SELECT coalesce(max(revision), 0) FROM jobs").fetchone()[0]

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Have `listener` called on the event loop while `run` runs; returns what ends it."""
        self._listeners.append(listener)

        def unsubscribe() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return unsubscribe

    async def run(self) -> None:
        """Look for changes until cancelled."""
        loop = asyncio.get_running_loop()
        written = asyncio.Event()

        def wake() -> None:
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(written.set)

        ignore = self._database.on_write(wake)
        try:
            await self._watch(written)
        finally:
            ignore()

    async def _watch(self, written: asyncio.Event) -> None:
        version = None
        while True:
            written.clear()
            try:
                found = self._database.version()
                if found != version:
                    version = found
                    self._tell(await self._worker.run(self._changed))
                    await self._clock.sleep(_COALESCED_SECONDS)
            except StoreError as error:
                log.error("changes can't be read: %s", error)
            await event_or_time(written, self._clock, LOOK_SECONDS)

    def _tell(self, changed: frozenset[int]) -> None:
        if not changed:
            return
        for listener in list(self._listeners):
            try:
                listener(changed)
            except Exception:
                log.exception("a listener of changes failed")

    def _changed(self) -> frozenset[int]:
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT id, revision FROM jobs WHERE revision > ?", (self._seen,)
            ).fetchall()
        self._seen = max((revision for _, revision in rows), default=self._seen)
        return frozenset(job_id for job_id, _ in rows)
