"""What a job becomes when the service, or the way to it, fails in one certain manner."""

import asyncio
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from batchtui.clock import utc_midnight_after
from batchtui.jobs import database as database_module
from batchtui.jobs import follower as follower_module
from batchtui.jobs.claim_store import ClaimStore
from batchtui.jobs.errors import StoreError
from batchtui.jobs.outcomes import Finished, Outcome
from batchtui.jobs.parts import Part
from batchtui.jobs.service import JobsService
from batchtui.model import Job, JobState, RequestResult

from .conftest import OpenJobs
from .faulty_service import AFTER, BEFORE, MANGLED, FaultyService
from .soak import soak, wrongs_of
from .support import FAST, ClientsOf, batch_of


def first(kind: str, *faults: str | None) -> Callable[[str], str | None]:
    """These faults for the first calls of one kind, and none after them."""
    left = iter(faults)
    return lambda called: next(left, None) if called == kind else None


async def followed(jobs: JobsService, server: FaultyService, requests: int = 1) -> Job:
    """A job at the server, followed to its end."""
    submitted = jobs.submit(batch_of("query", requests=requests), backend=server.url)
    (job,) = await jobs.follow_until_done([submitted.id])
    return job


def results_of(jobs: JobsService, job: Job) -> tuple[RequestResult, ...]:
    results = jobs.results(job.id)
    assert results is not None
    return results


@pytest.mark.parametrize("fault", [name for name in BEFORE if name != "reset_before"])
async def test_what_was_certainly_not_taken_is_sent_again_by_itself(
    server: FaultyService, open_jobs: OpenJobs, fault: str
) -> None:
    server.choose = first("submit", fault, fault)
    job = await followed(open_jobs(), server)
    assert job.state is JobState.DONE
    assert server.accepted == {"query": 1}
    assert server.calls["submit"] == 3
    assert job.problem is None


@pytest.mark.parametrize("fault", ["reset_before", *AFTER])
async def test_a_lost_answer_to_a_submit_leaves_the_job_unconfirmed(
    server: FaultyService, open_jobs: OpenJobs, fault: str
) -> None:
    server.choose = first("submit", fault)
    job = await followed(open_jobs(), server)
    assert job.state is JobState.UNCONFIRMED
    assert job.error is not None and job.error.message and job.error.hint
    assert server.calls["submit"] == 1
    assert job.next_ask_at is None


async def test_a_connection_reset_before_reading_doubles_nothing(
    server: FaultyService, open_jobs: OpenJobs
) -> None:
    resets = iter([True])
    server.resets = lambda: next(resets, False)
    jobs = open_jobs()
    job = await followed(jobs, server)
    assert wrongs_of(jobs, job, server.accepted["query"]) == []
    assert (job.state, server.accepted["query"]) in [(JobState.UNCONFIRMED, 0), (JobState.DONE, 1)]


@pytest.mark.parametrize("fault", AFTER)
async def test_whoever_says_always_has_lost_answers_sent_again(
    server: FaultyService, open_jobs: OpenJobs, fault: str
) -> None:
    server.choose = first("submit", fault)
    job = await followed(open_jobs(replace(FAST, resubmit="always")), server)
    assert job.state is JobState.DONE
    assert server.accepted == {"query": 2}


async def test_a_service_that_is_not_there_yet_gets_the_job_later(open_jobs: OpenJobs) -> None:
    server = FaultyService()
    await server.start()
    await server.stop()
    jobs = open_jobs()
    submitted = jobs.submit(batch_of("query"), backend=server.url)
    (waiting,) = await jobs.follow_until([submitted.id], lambda job: bool(job.problem and job.next_ask_at))
    assert waiting.state is JobState.SENDING

    later = FaultyService()
    await later.start(port=int(server.url.split(":")[2].split("/")[0]))
    (job,) = await jobs.follow_until_done([submitted.id])
    await later.stop()
    assert job.state is JobState.DONE
    assert later.accepted == {"query": 1}


@pytest.mark.parametrize("fault", ["credentials"])
async def test_a_refusal_fails_the_job_with_its_code_and_a_hint(
    server: FaultyService, open_jobs: OpenJobs, fault: str
) -> None:
    server.choose = first("submit", fault)
    job = await followed(open_jobs(), server)
    assert job.state is JobState.FAILED
    assert job.error is not None and job.error.code == 10000 and "token" in job.error.hint
    assert job.failed_requests == 1
    assert server.accepted == {}


async def test_a_spent_quota_waits_for_midnight_and_says_so(
    server: FaultyService, open_jobs: OpenJobs
) -> None:
    server.choose = first("submit", "quota")
    jobs = open_jobs()
    submitted = jobs.submit(batch_of("query"), backend=server.url)
    (job,) = await jobs.follow_until([submitted.id], lambda job: job.problem is not None)
    assert job.state is JobState.SENDING
    assert job.problem is not None and "00:00 UTC" in job.problem.hint
    assert job.next_ask_at is not None
    assert 0 <= job.next_ask_at - utc_midnight_after(job.created_at) < 120

    jobs.ask_now(job.id)
    (asked,) = await jobs.follow_until_done([job.id])
    assert asked.state is JobState.DONE


async def test_retry_after_holds_back_every_job_of_the_backend(
    server: FaultyService, open_jobs: OpenJobs
) -> None:
    server.choose = first("submit", "rate_seconds")
    jobs = open_jobs(replace(FAST, submits_at_once=1))
    ids = [jobs.submit(batch_of(f"query {number}"), backend=server.url).id for number in range(3)]
    begun = asyncio.get_running_loop().time()
    await jobs.follow_until_done(ids)
    assert asyncio.get_running_loop().time() - begun >= 0.9
    assert server.calls["submit"] == 4


@pytest.mark.parametrize("fault", [*BEFORE, *AFTER, "empty", "quota", "credentials"])
async def test_asking_is_tried_again_for_ever(server: FaultyService, open_jobs: OpenJobs, fault: str) -> None:
    times = 1 if fault in ("slow", "rate_seconds", "quota") else 5
    server.choose = first("collect", None, *[fault] * times)
    jobs = open_jobs()
    submitted = jobs.submit(batch_of("query"), backend=server.url)
    (troubled,) = await jobs.follow_until([submitted.id], lambda job: job.problem is not None)
    assert troubled.state in (JobState.QUEUED, JobState.RUNNING)
    assert troubled.next_ask_at is not None
    if fault == "quota":
        jobs.ask_now(troubled.id)
    (job,) = await jobs.follow_until_done([submitted.id])
    assert job.state is JobState.DONE
    assert job.problem is None
    assert server.accepted == {"query": 1}


async def test_an_unknown_request_id_is_expired(server: FaultyService, open_jobs: OpenJobs) -> None:
    server.choose = first("collect", None, "unknown_id")
    job = await followed(open_jobs(), server)
    assert job.state is JobState.EXPIRED
    assert job.error is not None and job.error.code == 5504


async def test_a_batch_that_failed_at_the_service_says_why(
    server: FaultyService, open_jobs: OpenJobs
) -> None:
    server.choose = first("collect", "batch_failed")
    jobs = open_jobs()
    job = await followed(jobs, server)
    assert job.state is JobState.FAILED
    assert job.error is not None and (job.error.code, job.error.message) == (3030, "upstream failed")
    assert b"upstream failed" in jobs.raw_answers(job.id)[-1].body


@pytest.mark.parametrize("fault", MANGLED)
async def test_an_answer_that_does_not_fit_is_kept_and_shown_as_far_as_it_goes(
    server: FaultyService, open_jobs: OpenJobs, fault: str
) -> None:
    server.choose = lambda kind: fault if kind == "collect" else None
    jobs = open_jobs()
    job = await followed(jobs, server, requests=3)
    results = results_of(jobs, job)
    failed = {"missing": 1, "request_failed": 1}.get(fault, 0)
    assert job.failed_requests == failed
    assert [result.success for result in results].count(False) == failed
    assert job.state is JobState.DONE
    ranked = [result.ranking for result in results if result.ranking is not None]
    assert all([entry.index for entry in ranking.entries][-1] == 2 for ranking in ranked)
    assert (job.problem is None) == (fault in ("out_of_order", "request_failed"))
    assert [raw.kind for raw in jobs.raw_answers(job.id)] == ["submit", "answer"]


async def test_the_answer_is_kept_to_the_byte(server: FaultyService, open_jobs: OpenJobs) -> None:
    server.choose = first("collect", "not_utf8")
    jobs = open_jobs()
    job = await followed(jobs, server)
    kept = {raw.kind: raw.body for raw in jobs.raw_answers(job.id)}
    assert kept["error"] == b'{"result": "\xff\xfe\x00"'
    assert b'"score": 0.3333333333333333' in kept["answer"]


async def test_something_unforeseen_in_asking_does_not_end_the_follower(
    server: FaultyService, open_jobs: OpenJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    clients = ClientsOf()
    client = clients.client(server.url, None)
    whole = client.collect
    errors = iter([RuntimeError("a bug"), ZeroDivisionError()])

    async def collect(model: str, request_id: str) -> object:
        for error in errors:
            raise error
        return await whole(model, request_id)

    monkeypatch.setattr(client, "collect", collect)
    job = await followed(open_jobs(clients=clients), server)
    assert job.state is JobState.DONE


async def test_something_unforeseen_in_sending_leaves_the_job_unconfirmed(
    server: FaultyService, open_jobs: OpenJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    clients = ClientsOf()

    async def submit(model: str, body: bytes) -> object:
        raise RuntimeError("a bug")

    monkeypatch.setattr(clients.client(server.url, None), "submit", submit)
    job = await followed(open_jobs(clients=clients), server)
    assert job.state is JobState.UNCONFIRMED
    assert job.error is not None and "a bug" in job.error.message


async def test_a_store_that_fails_for_a_while_loses_no_request_id(
    server: FaultyService, open_jobs: OpenJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = open_jobs()
    whole = jobs._parts.record
    failures = iter([StoreError("The disk is full.", "Free some space.")] * 2)

    def record(*values: Any) -> bool:
        for error in failures:
            raise error
        return whole(*values)

    monkeypatch.setattr(jobs._parts, "record", record)
    job = await followed(jobs, server)
    assert job.state is JobState.DONE
    assert server.accepted == {"query": 1}


async def test_an_outcome_that_cannot_be_kept_does_not_end_the_follower(
    server: FaultyService, open_jobs: OpenJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = open_jobs()
    whole = jobs._parts.record
    failures = iter([OverflowError("too large")])

    def record(part: Part, outcome: Outcome) -> bool:
        if isinstance(outcome, Finished):
            for failure in failures:
                raise failure
        return whole(part, outcome)

    monkeypatch.setattr(jobs._parts, "record", record)
    job = await followed(jobs, server)
    assert job.state is JobState.DONE


@pytest.mark.parametrize("name", ["claim", "recover", "forgive_the_clock"])
async def test_something_unforeseen_in_the_follower_does_not_end_it(
    server: FaultyService, open_jobs: OpenJobs, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(follower_module, "STORE_WAIT", 0.1)
    whole = getattr(ClaimStore, name)
    failures = iter([RuntimeError("a bug")])

    def failing(*values: Any) -> Any:
        for failure in failures:
            raise failure
        return whole(*values)

    monkeypatch.setattr(ClaimStore, name, failing)
    job = await followed(open_jobs(), server)
    assert job.state is JobState.DONE
    assert next(failures, None) is None


async def test_a_locked_store_does_not_end_the_follower(
    server: FaultyService, open_jobs: OpenJobs, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "BUSY_SECONDS", 0.05)
    monkeypatch.setattr(follower_module, "STORE_WAIT", 0.1)
    jobs = open_jobs()
    submitted = jobs.submit(batch_of("query"), backend=server.url)
    other = sqlite3.connect(database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    following = asyncio.create_task(jobs.follow_until_done([submitted.id]))
    await asyncio.sleep(0.5)
    assert not following.done() and not server.accepted
    other.execute("ROLLBACK")
    other.close()
    (job,) = await following
    assert job.state is JobState.DONE
    assert server.accepted == {"query": 1}


async def test_a_thousand_sends_do_not_hold_up_the_asks(server: FaultyService, open_jobs: OpenJobs) -> None:
    jobs = open_jobs(replace(FAST, calls_per_minute=1_200))
    first = jobs.submit(batch_of("first"), backend=server.url)
    for number in range(300):
        jobs.submit(batch_of(f"query {number}"), backend=server.url)
    (job,) = await jobs.follow_until_done([first.id])
    assert job.state is JobState.DONE
    assert server.calls["submit"] < 250


async def test_random_faults_lose_no_job_and_double_none(database: Path) -> None:
    reckoning = await soak(database, 200, seed=7)
    assert reckoning.wrong == []
    assert reckoning.states[JobState.DONE] > 50
    assert sum(reckoning.states.values()) == 200
    assert len(reckoning.faults) > 20
