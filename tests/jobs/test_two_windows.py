"""Two programs on one store: each part is asked for by one of them, and both show it."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from batchtui.clock import SystemClock
from batchtui.jobs.claim_store import ClaimStore
from batchtui.jobs.database import Database
from batchtui.jobs.leases import certainly_dead, machine_name, new_owner
from batchtui.jobs.parts import Lane, PartState
from batchtui.model import JobState

from .conftest import OpenJobs
from .faulty_service import FaultyService
from .killing import Killed, reckon, start
from .support import FAST, batch_of
from .test_following import following, seen

BACKEND = "http://127.0.0.1:1/client/v4"


async def test_each_part_is_sent_and_asked_for_by_one_of_two(
    server: FaultyService, open_jobs: OpenJobs
) -> None:
    server.latency = 0.03
    server.polls_until_done = 4
    here, there = open_jobs(), open_jobs()
    told: dict[str, set[int]] = {"here": set(), "there": set()}
    here.subscribe(told["here"].update)
    there.subscribe(told["there"].update)
    async with following(here, there):
        ids = [here.submit(batch_of(f"query {number}"), backend=server.url).id for number in range(30)]
        for job_id in ids:
            await seen(there, job_id, JobState.DONE)
            await seen(here, job_id, JobState.DONE)
        await asyncio.sleep(0.4)
    assert server.overlaps == 0
    assert sorted(server.accepted.values()) == [1] * 30
    assert told == {"here": set(ids), "there": set(ids)}


async def test_another_process_follows_the_same_jobs(server: FaultyService, database: Path) -> None:
    server.latency = 0.01
    process = await start(database, server.url, 0)
    await asyncio.sleep(0.2)
    beside = asyncio.create_task(reckon(database, server, Killed()))
    await asyncio.sleep(0.5)
    process.kill()
    await process.wait()
    await beside
    killed = Killed()
    await reckon(database, server, killed)
    assert killed.wrong == []
    assert server.overlaps == 0
    assert max(server.accepted.values()) == 1


def claimed_by(database: Database, lease_seconds: float = 60.0) -> ClaimStore:
    return ClaimStore(database, SystemClock(), replace(FAST, lease_seconds=lease_seconds))


def test_a_claimed_part_is_not_claimed_again(open_jobs: OpenJobs, database: Path) -> None:
    open_jobs().submit(batch_of("query"), backend=BACKEND)
    store = Database(database)
    mine, other = claimed_by(store), claimed_by(store)
    (part,) = mine.claim(Lane.SEND, 4).parts
    assert other.claim(Lane.SEND, 4).parts == []
    mine.let_go(part)
    assert len(other.claim(Lane.SEND, 4).parts) == 1
    store.close()


def test_a_lease_ends_with_its_time(open_jobs: OpenJobs, database: Path) -> None:
    open_jobs().submit(batch_of("query"), backend=BACKEND)
    store = Database(database)
    mine, other = claimed_by(store, lease_seconds=0.0), claimed_by(store)
    (part,) = mine.claim(Lane.SEND, 4).parts
    (taken,) = other.claim(Lane.SEND, 4).parts
    assert mine.mark_in_flight(part) is None
    assert other.mark_in_flight(taken) is not None
    store.close()


def test_a_lease_of_a_process_that_is_gone_ends_at_once(open_jobs: OpenJobs, database: Path) -> None:
    jobs = open_jobs()
    sent, waiting = (jobs.submit(batch_of(f"query {number}"), backend=BACKEND) for number in range(2))
    store = Database(database)
    dead = claimed_by(store, lease_seconds=3_600.0)
    dead.owner = f"{machine_name()}:{2**22 + 7}:abc"
    parts = dead.claim(Lane.SEND, 4).parts
    assert dead.mark_in_flight(next(part for part in parts if part.job_id == sent.id)) is not None

    heir = claimed_by(store)
    assert heir.claim(Lane.SEND, 4).parts == []
    heir.recover()
    assert [part.job_id for part in heir.claim(Lane.SEND, 4).parts] == [waiting.id]
    unconfirmed = jobs.job(sent.id)
    assert unconfirmed is not None and unconfirmed.state is JobState.UNCONFIRMED
    store.close()


@pytest.mark.parametrize("stopped", [False, True])
def test_whoever_says_always_has_the_work_of_the_dead_sent_again(
    open_jobs: OpenJobs, database: Path, stopped: bool
) -> None:
    jobs = open_jobs()
    submitted = jobs.submit(batch_of("query"), backend=BACKEND)
    store = Database(database)
    dead = claimed_by(store)
    dead.owner = f"{machine_name()}:{2**22 + 7}:abc"
    assert dead.mark_in_flight(dead.claim(Lane.SEND, 4).parts[0]) is not None
    if stopped:
        jobs.stop(submitted.id)

    heir = ClaimStore(store, SystemClock(), replace(FAST, resubmit="always"))
    heir.recover()
    job = jobs.job(submitted.id)
    assert job is not None and job.state is (JobState.STOPPED if stopped else JobState.SENDING)
    assert len(heir.claim(Lane.SEND, 4).parts) == (0 if stopped else 1)
    store.close()


def test_a_living_process_keeps_its_lease(open_jobs: OpenJobs, database: Path) -> None:
    jobs = open_jobs()
    submitted = jobs.submit(batch_of("query"), backend=BACKEND)
    store = Database(database)
    mine, other = claimed_by(store), claimed_by(store)
    marked = mine.mark_in_flight(mine.claim(Lane.SEND, 4).parts[0])
    assert marked is not None and marked.state is PartState.IN_FLIGHT
    other.recover()
    job = jobs.job(submitted.id)
    assert job is not None and job.state is JobState.SENDING
    mine.renew()
    mine.release()
    job = jobs.job(submitted.id)
    assert job is not None and job.state is JobState.UNCONFIRMED
    store.close()


def test_only_a_process_of_this_machine_can_be_certainly_dead() -> None:
    assert not certainly_dead(new_owner())
    assert certainly_dead(f"{machine_name()}:{2**22 + 7}:abc")
    assert not certainly_dead(f"elsewhere:{2**22 + 7}:abc")
    assert not certainly_dead("nonsense")


def test_the_calls_a_minute_hold_over_all_programs(open_jobs: OpenJobs, database: Path) -> None:
    jobs = open_jobs()
    for number in range(40):
        jobs.submit(batch_of(f"query {number}"), backend=BACKEND)
    store = Database(database)
    claims = [ClaimStore(store, SystemClock(), replace(FAST, calls_per_minute=100)) for _ in range(3)]
    taken = [claim.claim(Lane.SEND, 40) for claim in claims]
    assert sum(len(claimed.parts) for claimed in taken) == 10
    assert taken[-1].next_at is not None and taken[-1].next_at > SystemClock().now()
    store.close()
