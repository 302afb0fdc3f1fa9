"""Processes that follow jobs, killed one after the other on one store, and the reckoning afterwards."""

import asyncio
import random
import sys
from dataclasses import dataclass, field
from pathlib import Path

from batchtui.clock import SystemClock
from batchtui.jobs.service import JobsService
from batchtui.model import Job, JobState

from .faulty_service import FaultyService
from .soak import wrongs_of
from .support import FAST, ClientsOf

ROOT = Path(__file__).parents[2]


@dataclass
class Killed:
    """The jobs after all kills, what a submit had promised, and every broken promise."""

    jobs: list[Job] = field(default_factory=list)
    promised: dict[int, str] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def count(self, state: JobState) -> int:
        """How many jobs ended in a state."""
        return sum(job.state is state for job in self.jobs)


async def kill_often(database: Path, server: FaultyService, times: int, seed: int) -> Killed:
    """Kill a following process `times` times at random moments, then follow what is left and reckon."""
    chance = random.Random(seed)
    killed = Killed()
    for number in range(times):
        process = await start(database, server.url, 1_000 * number)
        await _promises(process, killed, chance.random() * 0.25)
        process.kill()
        await _promises(process, killed, 5.0)
        await process.wait()
    await reckon(database, server, killed)
    return killed


async def start(database: Path, url: str, first: int, point: str = "") -> asyncio.subprocess.Process:
    """A new following process that says it is ready."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.jobs.follower_process",
        str(database),
        url,
        str(first),
        *([point] if point else []),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"ready\n"
    return process


async def reckon(database: Path, server: FaultyService, killed: Killed) -> None:
    """Follow everything in the store to its end, and compare it with what was promised and accepted."""
    clients = ClientsOf()
    jobs = JobsService.open(database, clients, SystemClock(), FAST)
    try:
        ids = range(1, jobs.count() + 1)
        killed.jobs = await jobs.follow_until_done(ids)
        queries = {job.id: jobs.batch(job.id).requests[0].query for job in killed.jobs}
        for job in killed.jobs:
            killed.wrong += wrongs_of(jobs, job, server.accepted[queries[job.id]])
        for job_id, query in killed.promised.items():
            if queries.get(job_id) != query:
                killed.wrong.append(f"job {job_id} ({query}) is lost")
        for query in server.accepted:
            if query not in queries.values():
                killed.wrong.append(f"{query} was sent and is not in the store")
    finally:
        await clients.aclose()
        jobs.close()


async def _promises(process: asyncio.subprocess.Process, killed: Killed, seconds: float) -> None:
    """Read what the process promises for a while, or until its end."""
    assert process.stdout is not None
    try:
        async with asyncio.timeout(seconds):
            while (line := await process.stdout.readline()).endswith(b"\n"):
                job_id, number = map(int, line.split())
                killed.promised[job_id] = f"query {number}"
    except TimeoutError:
        return
