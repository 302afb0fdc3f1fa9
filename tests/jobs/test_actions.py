"""What a person does to a job."""

import asyncio
from dataclasses import replace

import pytest

from batchtui.jobs.errors import NoSuchJob
from batchtui.jobs.search import JobQuery
from batchtui.jobs.service import JobsService
from batchtui.model import JobState

from .conftest import OpenJobs
from .faulty_service import FaultyService
from .support import FAST, JumpingClock, batch_of
from .test_following import following, seen

BACKEND = "http://127.0.0.1:1/client/v4"
DELETED = JobQuery(deleted=True)


def state_of(jobs: JobsService, job_id: int) -> JobState:
    job = jobs.job(job_id)
    assert job is not None
    return job.state


async def test_a_stopped_job_is_not_asked_for_until_it_is_followed(
    server: FaultyService, open_jobs: OpenJobs
) -> None:
    server.polls_until_done = 3
    jobs = open_jobs(replace(FAST, first_wait=0.2, longest_wait=0.2))
    job_id = jobs.submit(batch_of("query"), backend=server.url).id
    async with following(jobs):
        await seen(jobs, job_id, JobState.QUEUED)
        jobs.stop(job_id)
        asked = server.calls["collect"]
        await asyncio.sleep(0.6)
        assert state_of(jobs, job_id) is JobState.STOPPED
        assert server.calls["collect"] <= asked + 1
        jobs.follow(job_id)
        await seen(jobs, job_id, JobState.DONE)
    assert server.accepted == {"query": 1}


async def test_a_job_stopped_before_it_was_sent_is_not_sent(
    server: FaultyService, open_jobs: OpenJobs
) -> None:
    jobs = open_jobs()
    job_id = jobs.submit(batch_of("query"), backend=server.url).id
    jobs.stop(job_id)
    async with following(jobs):
        await asyncio.sleep(0.3)
        assert server.accepted == {}
        jobs.follow(job_id)
        await seen(jobs, job_id, JobState.DONE)


async def test_a_batch_stopped_while_it_is_being_sent_keeps_its_request_id(
    server: FaultyService, open_jobs: OpenJobs
) -> None:
    server.latency = 0.2
    jobs = open_jobs()
    job_id = jobs.submit(batch_of("query"), backend=server.url).id
    async with following(jobs):
        await server.being_called()
        jobs.stop(job_id)
        await asyncio.sleep(0.5)
        job = jobs.job(job_id)
        assert job is not None and job.state is JobState.STOPPED
        assert job.request_id in server.batches
        assert server.calls["collect"] == 0
        jobs.follow(job_id)
        await seen(jobs, job_id, JobState.DONE)


async def test_asking_now_comes_before_the_wait(server: FaultyService, open_jobs: OpenJobs) -> None:
    jobs = open_jobs(replace(FAST, first_wait=100, longest_wait=100))
    server.polls_until_done = 0
    job_id = jobs.submit(batch_of("query"), backend=server.url).id
    async with following(jobs):
        await seen(jobs, job_id, JobState.QUEUED)
        jobs.ask_now(job_id)
        await seen(jobs, job_id, JobState.DONE)


async def test_an_unconfirmed_job_is_sent_again_on_the_persons_word(
    server: FaultyService, open_jobs: OpenJobs
) -> None:
    faults = iter(["cut"])
    server.choose = lambda kind: next(faults, None)
    jobs = open_jobs()
    job_id = jobs.submit(batch_of("query"), backend=server.url).id
    await jobs.follow_until_done([job_id])
    assert state_of(jobs, job_id) is JobState.UNCONFIRMED
    again = jobs.resubmit(job_id)
    assert again.id == job_id and again.state is JobState.SENDING and again.error is None
    (job,) = await jobs.follow_until_done([job_id])
    assert job.state is JobState.DONE
    assert server.accepted == {"query": 2}


async def test_an_unconfirmed_job_may_be_forgotten(server: FaultyService, open_jobs: OpenJobs) -> None:
    server.choose = lambda kind: "cut"
    jobs = open_jobs()
    job_id = jobs.submit(batch_of("query", requests=2), backend=server.url).id
    await jobs.follow_until_done([job_id])
    jobs.forget(job_id)
    job = jobs.job(job_id)
    assert job is not None and job.state is JobState.FAILED
    assert job.error is not None and "forget" in job.error.message
    assert job.failed_requests == 2


async def test_a_failed_job_may_be_sent_again(server: FaultyService, open_jobs: OpenJobs) -> None:
    faults = iter(["credentials"])
    server.choose = lambda kind: next(faults, None)
    jobs = open_jobs()
    job_id = jobs.submit(batch_of("query"), backend=server.url).id
    (failed,) = await jobs.follow_until_done([job_id])
    assert failed.finished_at is not None and failed.failed_requests == 1
    again = jobs.resubmit(job_id)
    assert again.finished_at is None and again.failed_requests == 0
    (job,) = await jobs.follow_until_done([job_id])
    assert job.state is JobState.DONE and job.failed_requests == 0


def test_what_is_done_is_not_sent_again(open_jobs: OpenJobs) -> None:
    jobs = open_jobs()
    submitted = jobs.submit(batch_of("query"), backend=BACKEND)
    assert jobs.resubmit(submitted.id).state is JobState.SENDING
    jobs.forget(submitted.id)
    assert state_of(jobs, submitted.id) is JobState.SENDING


async def test_a_deleted_job_is_gone_from_the_list_and_comes_back(
    server: FaultyService, open_jobs: OpenJobs
) -> None:
    jobs = open_jobs()
    kept = jobs.submit(batch_of("kept"), backend=server.url).id
    gone = jobs.submit(batch_of("gone"), backend=server.url).id
    jobs.delete(gone)
    assert [job.id for job in jobs.page(JobQuery(), 0, 10)] == [kept]
    assert [job.id for job in jobs.page(DELETED, 0, 10)] == [gone]
    assert (jobs.count(), jobs.count(DELETED), jobs.open_count()) == (1, 1, 1)
    assert jobs.position(JobQuery(), gone) is None
    await jobs.follow_until_done([kept])
    assert server.accepted == {"kept": 1}
    jobs.undelete(gone)
    (job,) = await jobs.follow_until_done([gone])
    assert job.state is JobState.DONE
    assert (jobs.count(), jobs.count(DELETED)) == (2, 0)


async def test_deleted_jobs_are_purged_a_day_later_and_leave_no_text_behind(open_jobs: OpenJobs) -> None:
    clock = JumpingClock()
    jobs = open_jobs(clock=clock)
    gone = jobs.submit(batch_of("secretword ünïcode"), backend=BACKEND, label="secretlabel").id
    jobs.delete(gone)
    kept = jobs.submit(batch_of("kept"), backend=BACKEND).id
    jobs.stop(kept)
    async with following(jobs):
        await asyncio.sleep(0.1)
    assert jobs.job(gone) is not None
    clock.offset += 86_400 + 60
    async with following(jobs):
        await asyncio.sleep(0.2)
    assert jobs.job(gone) is None
    assert jobs.results(gone) is None and jobs.raw_answers(gone) == []
    with pytest.raises(NoSuchJob):
        jobs.batch(gone)
    with jobs._database.read() as connection:
        for table in ("parts", "requests"):
            assert connection.execute(f"SELECT DISTINCT job_id FROM {table}").fetchall() == [(kept,)]
        for table in ("job_texts", "job_words"):
            found = connection.execute(f"SELECT rowid FROM {table} WHERE {table} MATCH 'secret*'").fetchall()
            assert found == []
            connection.execute(f"INSERT INTO {table} ({table}) VALUES ('integrity-check')")
    assert jobs.submit(batch_of("next"), backend=BACKEND).id == kept + 1


def test_labels_notes_and_pins(open_jobs: OpenJobs) -> None:
    jobs = open_jobs()
    first = jobs.submit(batch_of("first query"), backend=BACKEND)
    second = jobs.submit(batch_of("second query"), backend=BACKEND, label="named")
    assert (first.label, second.label) == ("first query", "named")
    jobs.set_label(first.id, "half \ud800 a character")
    jobs.set_note(first.id, "a note\x00 with \x1b[31m escapes")
    jobs.set_pinned(first.id, True)
    job = jobs.page(JobQuery(), 0, 1)[0]
    assert (job.id, job.label, job.note, job.pinned) == (
        first.id,
        "half ? a character",
        "a note\x00 with \x1b[31m escapes",
        True,
    )
    assert jobs.last_job() == second


def test_actions_on_a_job_that_is_not_there_say_so(open_jobs: OpenJobs) -> None:
    jobs = open_jobs()
    for act in (jobs.stop, jobs.follow, jobs.ask_now, jobs.resubmit, jobs.forget, jobs.delete, jobs.undelete):
        with pytest.raises(NoSuchJob, match="no job 9"):
            act(9)
    with pytest.raises(NoSuchJob):
        jobs.set_label(9, "x")
    assert jobs.job(9) is None and jobs.last_job() is None
