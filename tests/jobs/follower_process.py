"""A program that submits and follows jobs until it is killed: arguments DATABASE URL FIRST [POINT].

It prints `ready`, then the number of each job that a submit has returned. With a POINT, a place in the life
of a job, it submits one job and kills itself there.
"""

import asyncio
import math
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from batchtui.clock import SystemClock
from batchtui.jobs.claim_store import ClaimStore
from batchtui.jobs.job_store import JobStore
from batchtui.jobs.part_store import PartStore
from batchtui.jobs.service import JobsService
from batchtui.workers_ai.client import WorkersAI

from .support import FAST, ClientsOf, batch_of

POINTS: dict[str, tuple[type, str, bool]] = {
    "before the job is written": (JobStore, "insert", False),
    "after the job is written": (JobStore, "insert", True),
    "after the part is claimed": (PartStore, "batch_of", False),
    "before it is marked as sent": (ClaimStore, "mark_in_flight", False),
    "after it is marked as sent": (ClaimStore, "mark_in_flight", True),
    "after the service has taken it": (WorkersAI, "submit", True),
    "before the outcome is written": (PartStore, "record", False),
    "after the outcome is written": (PartStore, "record", True),
    "after the answer came": (WorkersAI, "collect", True),
}


def die(*_: object) -> None:
    """End at once, as by kill -9."""
    os.kill(os.getpid(), signal.SIGKILL)


def die_at(owner: type, name: str, *, after: bool) -> None:
    """Have a method end the process before or after its work."""
    whole: Callable[..., Any] = getattr(owner, name)

    def blocking(*args: Any, **values: Any) -> None:
        if after:
            whole(*args, **values)
        die()

    async def waiting(*args: Any, **values: Any) -> None:
        if after:
            await whole(*args, **values)
        die()

    setattr(owner, name, waiting if asyncio.iscoroutinefunction(whole) else blocking)


async def main(database: Path, url: str, first: int, most: float) -> None:
    """Submit job after job, each with a query of its own, at most so many, and follow them all."""
    jobs = JobsService.open(database, ClientsOf(), SystemClock(), FAST)
    following = asyncio.create_task(jobs.run_follower())
    print("ready", flush=True)
    number = first
    while not following.done() and number - first < most:
        job = await asyncio.to_thread(jobs.submit, batch_of(f"query {number}"), backend=url)
        print(f"{job.id} {number}\n", end="", flush=True)
        number += 1
        await asyncio.sleep(0.02)
    await following


if __name__ == "__main__":
    if len(sys.argv) > 4:
        owner, name, after = POINTS[sys.argv[4]]
        die_at(owner, name, after=after)
    most = 1 if len(sys.argv) > 4 else math.inf
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), most))
