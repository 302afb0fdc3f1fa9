"""Many jobs at a service that fails at random, and the reckoning afterwards."""

import random
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from batchtui.clock import SystemClock
from batchtui.jobs.service import JobsService
from batchtui.model import Job, JobState

from .faulty_service import AFTER, BEFORE, MANGLED, FaultyService
from .support import FAST, ClientsOf, batch_of

ENDS = {JobState.DONE, JobState.FAILED, JobState.EXPIRED, JobState.UNCONFIRMED}

_SLOW_FAULTS = {"slow", "rate_seconds"}


@dataclass
class Reckoning:
    """What became of the jobs; `wrong` names every broken promise."""

    states: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


class RandomFaults:
    """Names a random fault for `share` of the calls."""

    def __init__(self, seed: int, share: float) -> None:
        self._chance = random.Random(seed)
        self._share = share
        self.seen: Counter[str] = Counter()

    def resets(self) -> bool:
        """Whether the next connection is reset."""
        reset = self._chance.random() < self._share * 0.1
        self.seen["connection: reset"] += reset
        return reset

    def __call__(self, kind: str) -> str | None:
        if self._chance.random() >= self._share:
            return None
        every = [*BEFORE, *AFTER]
        if kind == "collect":
            every += ["empty", "unknown_id", "batch_failed", *MANGLED]
        # Some faults hold everything up for a while, so they are drawn less often.
        fault = self._chance.choice(
            [name for name in every if name not in _SLOW_FAULTS or self._chance.random() < 0.2]
        )
        self.seen[f"{kind}: {fault}"] += 1
        return fault


async def soak(database: Path, jobs_count: int, seed: int, share: float = 0.5) -> Reckoning:
    """Follow `jobs_count` jobs to their ends and reckon."""
    faults = RandomFaults(seed, share)
    server = FaultyService(choose=faults, resets=faults.resets)
    await server.start()
    clients = ClientsOf()
    jobs = JobsService.open(database, clients, SystemClock(), FAST)
    try:
        submitted = [
            jobs.submit(batch_of(f"query {number}", requests=1 + number % 3), backend=server.url)
            for number in range(jobs_count)
        ]
        ended = await jobs.follow_until_done([job.id for job in submitted])
        reckoning = Reckoning(faults=faults.seen, calls=server.calls)
        for job in ended:
            reckoning.states[job.state] += 1
            reckoning.wrong += wrongs_of(jobs, job, server.accepted[f"query {job.id - 1}"])
        if jobs.count() != jobs_count:
            reckoning.wrong.append(f"{jobs.count()} jobs of {jobs_count} are in the store")
        return reckoning
    finally:
        await clients.aclose()
        jobs.close()
        await server.stop()


def wrongs_of(jobs: JobsService, job: Job, accepted: int) -> list[str]:
    """What is wrong with a job that the service accepted so many times."""
    wrong = []
    if job.state not in ENDS:
        wrong.append(f"job {job.id} is {job.state}")
    if accepted > 1:
        wrong.append(f"job {job.id} was accepted {accepted} times")
    if job.state in (JobState.DONE, JobState.EXPIRED) and accepted != 1:
        wrong.append(f"job {job.id} is {job.state} and was accepted {accepted} times")
    if job.state is JobState.DONE:
        results = jobs.results(job.id)
        if results is None or len(results) != job.requests:
            wrong.append(f"job {job.id} is done without its results")
    elif job.error is None or not job.error.message or not job.error.hint:
        wrong.append(f"job {job.id} is {job.state} and does not say why")
    return wrong
