"""Who watches is told which jobs changed, whoever changed them."""

import asyncio

from batchtui.model import Batch, Draft

from .conftest import OpenJobs
from .support import batch_of
from .test_following import following

BACKEND = "http://127.0.0.1:1/client/v4"


async def test_changes_of_this_and_of_another_program_are_told(open_jobs: OpenJobs) -> None:
    here, there = open_jobs(), open_jobs()
    told: set[int] = set()
    here.subscribe(told.update)
    mine = here.submit(batch_of("mine"), backend=BACKEND).id
    here.stop(mine)
    async with following(here):
        theirs = there.submit(batch_of("theirs"), backend=BACKEND).id
        there.stop(theirs)
        await asyncio.sleep(0.5)
        assert told == {mine, theirs}
        told.clear()
        there.set_label(theirs, "named")
        await asyncio.sleep(0.5)
        assert told == {theirs}


async def test_many_changes_are_told_at_once(open_jobs: OpenJobs) -> None:
    jobs = open_jobs()
    job_id = jobs.submit(batch_of("query"), backend=BACKEND).id
    jobs.stop(job_id)
    calls: list[frozenset[int]] = []
    async with following(jobs):
        await asyncio.sleep(0.3)
        jobs.subscribe(calls.append)
        for number in range(100):
            await asyncio.to_thread(jobs.set_label, job_id, f"label {number}")
        await asyncio.sleep(0.3)
    assert {*calls} == {frozenset({job_id})}
    assert len(calls) < 50


async def test_a_draft_is_no_change_of_a_job(open_jobs: OpenJobs) -> None:
    jobs = open_jobs()
    calls: list[frozenset[int]] = []
    jobs.subscribe(calls.append)
    async with following(jobs):
        jobs.save_draft(Draft(0, Batch(())))
        await asyncio.sleep(0.3)
    assert calls == []


async def test_a_listener_that_fails_harms_no_other_and_one_that_left_is_not_told(
    open_jobs: OpenJobs,
) -> None:
    jobs = open_jobs()
    told: set[int] = set()
    left: set[int] = set()

    def fail(changed: frozenset[int]) -> None:
        raise RuntimeError("a bug in a listener")

    jobs.subscribe(fail)
    jobs.subscribe(told.update)
    unsubscribe = jobs.subscribe(left.update)
    unsubscribe()
    unsubscribe()
    async with following(jobs):
        job_id = jobs.submit(batch_of("query"), backend=BACKEND).id
        jobs.stop(job_id)
        await asyncio.sleep(0.4)
    assert told == {job_id}
    assert left == set()
