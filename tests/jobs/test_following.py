"""A job from submit to its end: parts, models without batches, waits, leaving and coming back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import msgspec
import pytest

from batchtui.jobs.errors import CredentialsMissing, NoSuchJob
from batchtui.jobs.service import JobsService
from batchtui.model import Batch, Context, Job, JobState, Request
from batchtui.workers_ai.client import WorkersAI
from batchtui.workers_ai.limits import Timeouts

from .conftest import OpenJobs
from .faulty_service import FaultyService
from .support import FAST, ClientsOf, JumpingClock, batch_of

RERANKER = "@cf/baai/bge-reranker-base"


@asynccontextmanager
async def following(*services: JobsService) -> AsyncIterator[None]:
    """Each service follows its jobs meanwhile."""
    tasks = [asyncio.create_task(service.run_follower()) for service in services]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def seen(jobs: JobsService, job_id: int, *states: JobState) -> Job:
    """The job as soon as it is in one of the states."""
    async with asyncio.timeout(10):
        while True:
            job = jobs.job(job_id)
            assert job is not None
            if job.state in states:
                return job
            await asyncio.sleep(0.01)


async def test_a_job_is_sent_asked_for_and_ranked(server: FaultyService, open_jobs: OpenJobs) -> None:
    jobs = open_jobs()
    submitted = jobs.submit(batch_of("refunds", requests=2), backend=server.url)
    assert submitted.state is JobState.SENDING

    (job,) = await jobs.follow_until_done([submitted.id])

    assert job.state is JobState.DONE
    assert job.request_id in server.batches
    assert job.usage is not None and job.usage.total_tokens == 20
    assert job.submitted_at is not None and job.finished_at is not None
    assert job.created_at <= job.submitted_at <= job.finished_at
    results = jobs.results(job.id)
    assert results is not None
    assert [[entry.index for entry in result.ranking.entries] for result in results if result.ranking] == [
        [0, 1, 2],
        [0, 1, 2],
    ]
    assert jobs.result(job.id, 1) == results[1]
    assert jobs.tokens_since(job.created_at, server.url) == 20
    assert jobs.tokens_per_byte(job.model, server.url) == pytest.approx(20 / job.body_bytes)


async def test_a_job_shows_every_state_on_its_way(server: FaultyService, open_jobs: OpenJobs) -> None:
    server.polls_until_done = 3
    jobs = open_jobs(replace(FAST, first_wait=0.15, longest_wait=0.15))
    states: list[JobState] = []
    submitted = jobs.submit(batch_of("query"), backend=server.url)

    def look(changed: frozenset[int]) -> None:
        job = jobs.job(submitted.id)
        assert job is not None and job.id in changed
        states.append(job.state)

    jobs.subscribe(look)
    await jobs.follow_until_done([submitted.id])
    order = [JobState.SENDING, JobState.QUEUED, JobState.RUNNING, JobState.DONE]
    assert [order.index(state) for state in states] == sorted(order.index(state) for state in states)
    assert {JobState.QUEUED, JobState.RUNNING} <= {*states}


async def test_a_big_batch_goes_out_in_parts_under_the_limit_as_one_job(
    server: FaultyService, open_jobs: OpenJobs
) -> None:
    jobs = open_jobs(replace(FAST, part_limit_bytes=1_000))
    batch = batch_of("query", requests=30)
    submitted = jobs.submit(batch, backend=server.url)
    assert submitted.parts > 3

    (job,) = await jobs.follow_until_done([submitted.id])

    assert job.state is JobState.DONE
    assert job.parts_done == job.parts == len(server.batches) == len(server.bodies)
    assert max(server.bodies) <= 1_000
    assert sum(server.bodies) == job.body_bytes
    sent = [request["query"] for stored in server.batches.values() for request in stored.requests]
    assert sorted(sent) == sorted(request.query for request in batch.requests)
    assert job.usage is not None and job.usage.total_tokens == 300
    results = jobs.results(job.id)
    assert results is not None and len(results) == 30 and all(result.success for result in results)


async def test_a_part_that_fails_leaves_the_others_their_results(
    server: FaultyService, open_jobs: OpenJobs
) -> None:
    refused = iter([None, "credentials"])
    server.choose = lambda kind: next(refused, None) if kind == "submit" else None
    jobs = open_jobs(replace(FAST, part_limit_bytes=2_000, submits_at_once=1))
    submitted = jobs.submit(batch_of("query", requests=30), backend=server.url)
    (job,) = await jobs.follow_until_done([submitted.id])
    assert job.state is JobState.DONE
    assert 0 < job.failed_requests < 30
    results = jobs.results(job.id)
    assert results is not None
    failed = [result for result in results if not result.success]
    assert len(failed) == job.failed_requests
    assert failed[0].error == "Authentication error"
    assert jobs.result(job.id, results.index(failed[0])) == failed[0]


async def test_a_model_without_batches_is_called_request_by_request(
    server: FaultyService, open_jobs: OpenJobs
) -> None:
    server.latency = 0.02
    jobs = open_jobs()
    batch = msgspec.structs.replace(batch_of("query", requests=9), model=RERANKER)
    submitted = jobs.submit(batch, backend=server.url)
    (job,) = await jobs.follow_until_done([submitted.id])
    assert job.state is JobState.DONE
    assert server.calls == {"run": 9}
    assert sorted(server.accepted.values()) == [1] * 9
    assert 1 < server.most_in_hand <= FAST.submits_at_once
    assert job.parts == job.parts_done == 9
    results = jobs.results(job.id)
    assert results is not None and all(result.success for result in results)
    assert job.usage is not None and job.usage.total_tokens == 36


async def test_a_lost_answer_of_a_synchronous_call_is_asked_about(
    server: FaultyService, open_jobs: OpenJobs
) -> None:
    faults = iter([None, "cut"])
    server.choose = lambda kind: next(faults, None)
    jobs = open_jobs()
    batch = msgspec.structs.replace(batch_of("query", requests=4), model=RERANKER)
    submitted = jobs.submit(batch, backend=server.url)
    (job,) = await jobs.follow_until_done([submitted.id])
    assert job.state is JobState.UNCONFIRMED
    assert job.parts_done == 3
    jobs.resubmit(job.id)
    (again,) = await jobs.follow_until_done([job.id])
    assert again.state is JobState.DONE
    assert sorted(server.accepted.values()) == [1, 1, 1, 2]


async def test_few_connections_serve_many_jobs(server: FaultyService, open_jobs: OpenJobs) -> None:
    server.latency = 0.01
    jobs = open_jobs()
    ids = [jobs.submit(batch_of(f"query {number}"), backend=server.url).id for number in range(40)]
    ended = await jobs.follow_until_done(ids)
    assert {job.state for job in ended} == {JobState.DONE}
    assert server.most_in_hand <= FAST.submits_at_once + FAST.polls_at_once


async def test_no_more_calls_are_made_than_a_minute_allows(
    server: FaultyService, open_jobs: OpenJobs
) -> None:
    jobs = open_jobs(replace(FAST, calls_per_minute=60))
    for number in range(30):
        jobs.submit(batch_of(f"query {number}"), backend=server.url)
    async with following(jobs):
        await asyncio.sleep(1.5)
    assert 6 <= sum(server.calls.values()) <= 6 + 2


async def test_a_job_left_alone_for_the_longest_wait_still_ends(
    server: FaultyService, open_jobs: OpenJobs
) -> None:
    server.polls_until_done = 4
    jobs = open_jobs(replace(FAST, first_wait=0.3, longest_wait=0.3))
    submitted = jobs.submit(batch_of("query"), backend=server.url)
    (job,) = await jobs.follow_until_done([submitted.id])
    assert job.state is JobState.DONE
    assert server.calls["collect"] == 5


async def test_after_a_sleep_of_the_machine_a_job_is_asked_for_once(
    server: FaultyService, open_jobs: OpenJobs
) -> None:
    server.polls_until_done = 1_000
    clock = JumpingClock()
    jobs = open_jobs(replace(FAST, first_wait=200, longest_wait=300), clock=clock)
    submitted = jobs.submit(batch_of("query"), backend=server.url)
    async with following(jobs):
        await seen(jobs, submitted.id, JobState.QUEUED)
        clock.offset += 8 * 3_600
        await asyncio.sleep(1.0)
        assert server.calls["collect"] == 1
        job = jobs.job(submitted.id)
        assert job is not None and job.next_ask_at is not None
        assert 200 <= job.next_ask_at - clock.now() <= 300


async def test_a_clock_that_goes_back_does_not_leave_jobs_waiting(
    server: FaultyService, open_jobs: OpenJobs
) -> None:
    server.polls_until_done = 1_000
    clock = JumpingClock()
    jobs = open_jobs(replace(FAST, first_wait=200, longest_wait=300), clock=clock)
    submitted = jobs.submit(batch_of("query"), backend=server.url)
    async with following(jobs):
        await seen(jobs, submitted.id, JobState.QUEUED)
        clock.offset -= 30 * 86_400
        await asyncio.sleep(1.0)
    assert server.calls["collect"] == 1
    clock.offset -= 30 * 86_400
    async with following(jobs):
        await asyncio.sleep(1.0)
    assert server.calls["collect"] == 2


async def test_leaving_while_a_batch_is_being_sent_waits_a_moment_for_its_answer(
    server: FaultyService, open_jobs: OpenJobs
) -> None:
    server.latency = 0.2
    jobs = open_jobs()
    submitted = jobs.submit(batch_of("query"), backend=server.url)
    async with following(jobs):
        await server.being_called()
    job = jobs.job(submitted.id)
    assert job is not None and job.state is JobState.QUEUED
    assert job.request_id in server.batches


async def test_leaving_for_good_while_a_batch_is_being_sent_leaves_it_unconfirmed(
    server: FaultyService, open_jobs: OpenJobs
) -> None:
    server.latency = 5.0
    slow = ClientsOf(Timeouts(connect=1.0, read=10.0, write=1.0, pool=5.0, total=10.0))
    jobs = open_jobs(replace(FAST, closing_seconds=0.1), clients=slow)
    submitted = jobs.submit(batch_of("query"), backend=server.url)
    async with following(jobs):
        await server.being_called()
    job = jobs.job(submitted.id)
    assert job is not None and job.state is JobState.UNCONFIRMED
    assert job.error is not None and "may or may not" in job.error.message


async def test_a_job_comes_back_after_the_program_ended(server: FaultyService, open_jobs: OpenJobs) -> None:
    server.polls_until_done = 10
    first = open_jobs()
    submitted = first.submit(batch_of("query"), backend=server.url)
    async with following(first):
        await seen(first, submitted.id, JobState.QUEUED, JobState.RUNNING)
    first.close()
    (job,) = await open_jobs().follow_until_done([submitted.id])
    assert job.state is JobState.DONE
    assert server.accepted == {"query": 1}


class NoCredentials(ClientsOf):
    """Clients of a backend whose credentials may be missing."""

    missing = True

    def client(self, backend: str, account_id: str | None) -> WorkersAI:
        if self.missing:
            raise CredentialsMissing("There is no API token.", "Set CLOUDFLARE_API_TOKEN.")
        return super().client(backend, account_id)


async def test_a_new_job_without_credentials_fails_and_says_so(open_jobs: OpenJobs) -> None:
    jobs = open_jobs(clients=NoCredentials())
    submitted = jobs.submit(batch_of("query"), backend="cloudflare")
    (job,) = await jobs.follow_until_done([submitted.id])
    assert job.state is JobState.FAILED
    assert job.error is not None and "CLOUDFLARE_API_TOKEN" in job.error.hint


async def test_a_queued_job_waits_for_its_credentials(server: FaultyService, open_jobs: OpenJobs) -> None:
    server.polls_until_done = 50
    clients = NoCredentials()
    clients.missing = False
    jobs = open_jobs(clients=clients)
    submitted = jobs.submit(batch_of("query"), backend=server.url)
    await jobs.follow_until([submitted.id], lambda job: job.state is JobState.QUEUED)
    clients.missing = True
    (waiting,) = await jobs.follow_until([submitted.id], lambda job: job.problem is not None)
    assert waiting.state in (JobState.QUEUED, JobState.RUNNING)
    clients.missing = False
    (job,) = await jobs.follow_until_done([submitted.id])
    assert job.state is JobState.DONE


async def test_only_the_text_of_contexts_is_sent(server: FaultyService, open_jobs: OpenJobs) -> None:
    jobs = open_jobs()
    batch = Batch((Request("query", (Context("text", id="doc-1", relevance=2),), "reference"),))
    submitted = jobs.submit(batch, backend=server.url)
    await jobs.follow_until_done([submitted.id])
    (stored,) = server.batches.values()
    assert stored.requests == [
        {"query": "query", "contexts": [{"text": "text"}], "external_reference": "reference"}
    ]
    assert jobs.batch(submitted.id) == batch


async def test_following_ends_with_a_job_that_is_deleted_meanwhile(open_jobs: OpenJobs) -> None:
    jobs = open_jobs()
    submitted = jobs.submit(batch_of("query"), backend="http://127.0.0.1:1/client/v4")
    waiting = asyncio.create_task(jobs.follow_until_done([submitted.id]))
    await asyncio.sleep(0.2)
    jobs.delete(submitted.id)
    async with asyncio.timeout(5):
        assert [job.id for job in await waiting] == [submitted.id]


async def test_following_a_job_that_is_not_there_says_so(open_jobs: OpenJobs) -> None:
    with pytest.raises(NoSuchJob, match="no job 7"):
        await open_jobs().follow_until_done([7])
