"""Running the follower, for as long as the program or until certain jobs are far enough."""

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable, Iterable

from batchtui.clock import Clock
from batchtui.jobs.calls import Calls, Clients
from batchtui.jobs.changes import Changes
from batchtui.jobs.claim_store import ClaimStore
from batchtui.jobs.database import Database
from batchtui.jobs.errors import NoSuchJob, StoreError
from batchtui.jobs.follower import Follower, ThreadWorker
from batchtui.jobs.job_actions import JobActions
from batchtui.jobs.job_store import JobStore
from batchtui.jobs.outcomes import Judge
from batchtui.jobs.part_store import PartStore
from batchtui.jobs.schedule import DAY, FollowPolicy
from batchtui.model import Job

log = logging.getLogger("batchtui.jobs")


class Following:
    """Followers on one store; each run is a holder of leases of its own."""

    def __init__(
        self,
        database: Database,
        clients: Clients,
        clock: Clock,
        policy: FollowPolicy,
        parts: PartStore,
        worker: ThreadWorker,
        changes: Changes,
    ) -> None:
        self._database = database
        self._clients = clients
        self._clock = clock
        self._policy = policy
        self._parts = parts
        self._jobs = JobStore(database, clock)
        self._worker = worker
        self._changes = changes

    async def run(self) -> None:
        """Follow all open jobs until cancelled."""
        judge = Judge(self._policy, random.Random())
        claims = ClaimStore(self._database, self._clock, self._policy)
        calls = Calls(self._clients, claims, self._parts, judge, self._clock, self._worker)
        follower = Follower(claims, calls, self._clock, self._policy, self._worker)
        unsubscribe = self._changes.subscribe(lambda _: follower.wake())
        watching = asyncio.create_task(self._changes.run())
        try:
            await self._purge()
            await follower.run()
        finally:
            unsubscribe()
            watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watching

    async def until(self, job_ids: Iterable[int], enough: Callable[[Job], bool]) -> list[Job]:
        """Follow until each of the jobs is `enough` or deleted, and return them. Raises NoSuchJob."""
        ids = list(job_ids)
        changed = asyncio.Event()
        unsubscribe = self._changes.subscribe(lambda _: changed.set())
        following = asyncio.create_task(self.run())
        try:
            while True:
                changed.clear()
                jobs = await self._worker.run(lambda: [self._existing(job_id) for job_id in ids])
                if all(enough(job) or self._jobs.is_deleted(job.id) for job in jobs):
                    return jobs
                waiting = asyncio.create_task(changed.wait())
                done, _ = await asyncio.wait((waiting, following), return_when=asyncio.FIRST_COMPLETED)
                waiting.cancel()
                if following in done:
                    await following
        finally:
            unsubscribe()
            following.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await following

    async def _purge(self) -> None:
        actions = JobActions(self._database, self._clock)
        try:
            await self._worker.run(lambda: actions.purge(self._clock.now() - DAY))
        except StoreError as error:
            log.error("deleted jobs can't be purged: %s", error)

    def _existing(self, job_id: int) -> Job:
        job = self._jobs.job(job_id)
        if job is None:
            raise NoSuchJob(job_id)
        return job


def settled(job: Job) -> bool:
    """Whether nothing more happens to the job by itself."""
    return not job.state.open and job.next_ask_at is None
