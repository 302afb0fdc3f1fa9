"""Judgments belong to pairs of texts, outlive jobs, and keep the metric of every job up to date."""

import math
from pathlib import Path

import pytest

from batchtui.clock import SystemClock
from batchtui.jobs.search import JobQuery
from batchtui.jobs.service import JobsService
from batchtui.model import Batch, Context, Request

from .conftest import OpenJobs
from .faulty_service import FaultyService
from .support import FAST, ClientsOf, batch_of

BACKEND = "http://127.0.0.1:1/client/v4"


def metric_of(jobs: JobsService, job_id: int) -> float | None:
    job = jobs.job(job_id)
    assert job is not None
    return job.ndcg_at_10


def test_a_judgment_holds_for_exactly_these_texts(open_jobs: OpenJobs) -> None:
    jobs = open_jobs()
    jobs.judge("query", "text", 2)
    jobs.judge("query", "half \ud800", 1)
    assert jobs.judgments("query", ["other", "text", "text ", "half \ud800", "text"]) == {1: 2, 3: 1, 4: 2}
    assert jobs.judgments("Query", ["text"]) == {}
    jobs.judge("query", "text", 0)
    assert jobs.judgments("query", ["text"]) == {0: 0}
    jobs.judge("query", "text", None)
    assert jobs.judgments("query", ["text"]) == {}


@pytest.mark.parametrize("grade", [-1, 4])
def test_a_grade_is_zero_to_three(open_jobs: OpenJobs, grade: int) -> None:
    with pytest.raises(ValueError, match="0 to 3"):
        open_jobs().judge("query", "text", grade)


async def test_a_judgment_changes_the_metric_of_every_job_with_the_query(
    server: FaultyService, open_jobs: OpenJobs
) -> None:
    jobs = open_jobs()
    batch = batch_of("query", requests=2)
    ids = [jobs.submit(batch, backend=server.url).id for _ in range(2)]
    other = jobs.submit(batch_of("other"), backend=server.url).id
    for job in await jobs.follow_until_done([*ids, other]):
        assert job.ndcg_at_10 is None

    query, contexts = batch.requests[0].query, batch.requests[0].contexts
    jobs.judge(query, contexts[1].text, 3)
    second = 1 / math.log2(3)
    assert [metric_of(jobs, job_id) for job_id in (*ids, other)] == [
        pytest.approx(second),
        pytest.approx(second),
        None,
    ]

    jobs.judge(batch.requests[1].query, batch.requests[1].contexts[0].text, 1)
    assert metric_of(jobs, ids[0]) == pytest.approx((second + 1) / 2)
    assert jobs.page(JobQuery(sort="metric"), 0, 1)[0].id in ids

    jobs.judge(query, contexts[1].text, None)
    jobs.judge(batch.requests[1].query, batch.requests[1].contexts[0].text, None)
    assert metric_of(jobs, ids[0]) is None


async def test_known_relevance_becomes_judgments_but_never_over_a_persons_own(
    server: FaultyService, open_jobs: OpenJobs
) -> None:
    jobs = open_jobs()
    jobs.judge("query", "mine", 0)
    contexts = (Context("known", relevance=3), Context("mine", relevance=3), Context("odd", relevance=9))
    batch = Batch((Request("query", (*contexts, Context("unknown"))),))
    submitted = jobs.submit(batch, backend=server.url)
    assert jobs.judgments("query", ["known", "mine", "odd", "unknown"]) == {0: 3, 1: 0}
    (job,) = await jobs.follow_until_done([submitted.id])
    assert job.ndcg_at_10 == pytest.approx(1.0)


async def test_the_judgments_of_a_job_that_is_deleted_stay(open_jobs: OpenJobs) -> None:
    jobs = open_jobs()
    batch = Batch((Request("query", (Context("text", relevance=1),)),))
    jobs.delete(jobs.submit(batch, backend=BACKEND).id)
    assert jobs.judgments("query", ["text"]) == {0: 1}


async def test_a_judged_context_without_a_score_counts_as_not_found(
    server: FaultyService, open_jobs: OpenJobs
) -> None:
    server.choose = lambda kind: "null_scores" if kind == "collect" else None
    jobs = open_jobs()
    batch = batch_of("query")
    submitted = jobs.submit(batch, backend=server.url)
    await jobs.follow_until_done([submitted.id])
    jobs.judge("query", batch.requests[0].contexts[0].text, 3)
    job = jobs.job(submitted.id)
    assert job is not None and job.ndcg_at_10 == 0.0


async def test_another_gain_makes_every_stored_metric_anew(
    server: FaultyService, open_jobs: OpenJobs, database: Path
) -> None:
    jobs = open_jobs()
    batch = batch_of("query", requests=1)
    job_id = jobs.submit(batch, backend=server.url).id
    await jobs.follow_until_done([job_id])
    request = batch.requests[0]
    result = jobs.result(job_id, 0)
    assert result is not None and result.ranking is not None
    first, second = (request.contexts[entry.index].text for entry in result.ranking.entries[:2])
    jobs.judge(request.query, first, 1)
    jobs.judge(request.query, second, 3)
    discount = 1 / math.log2(3)
    assert metric_of(jobs, job_id) == pytest.approx((1 + 7 * discount) / (7 + discount))
    jobs.close()
    linear = JobsService.open(database, ClientsOf(), SystemClock(), FAST, linear_gain=True)
    assert metric_of(linear, job_id) == pytest.approx((1 + 3 * discount) / (3 + discount))
    linear.close()
