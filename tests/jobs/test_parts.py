"""How a batch is checked and split, and what its parts make of a job."""

from itertools import product

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchtui.jobs.errors import InvalidBatch, RequestTooLarge
from batchtui.jobs.parts import PartState, body_of, derive_state, plan_parts
from batchtui.jobs.search import JobQuery
from batchtui.model import Batch, Context, JobState, Request

from .conftest import OpenJobs
from .support import batch_of

BACKEND = "http://127.0.0.1:1/client/v4"
sizes = st.lists(st.integers(1, 400), min_size=1, max_size=30)
S = PartState


@given(sizes, st.integers(500, 2_000), st.one_of(st.none(), st.booleans()))
def test_parts_hold_all_requests_in_order_under_the_limit(
    lengths: list[int], limit: int, truncate_inputs: bool | None
) -> None:
    requests = tuple(Request("q", (Context('"' * length),), "ref") for length in lengths)
    batch = Batch(requests, truncate_inputs=truncate_inputs)
    whole = [len(body_of(batch, [request], takes_batches=True)) for request in requests]
    if max(whole) > limit:
        with pytest.raises(RequestTooLarge) as caught:
            plan_parts(batch, limit, takes_batches=True)
        assert whole[caught.value.request_index] == caught.value.size > caught.value.limit == limit
        return
    parts = plan_parts(batch, limit, takes_batches=True)
    place = 0
    for part in parts:
        assert part.first_request == place
        place += part.request_count
        body = body_of(batch, requests[part.first_request : place], takes_batches=True)
        assert len(body) == part.body_bytes <= limit
    assert place == len(requests)


def test_a_request_over_the_limit_is_refused_with_its_place_and_nothing_is_written(
    open_jobs: OpenJobs,
) -> None:
    jobs = open_jobs()
    batch = Batch((Request("fits", (Context("a"),)), Request("too large", (Context("a" * 9_000_000),))))
    with pytest.raises(RequestTooLarge, match=r"Request 2 is too large: 9,000,\d\d\d bytes"):
        jobs.submit(batch, backend=BACKEND)
    assert jobs.count() == 0


good = Request("query", (Context("text"),))


@pytest.mark.parametrize(
    ("batch", "words", "place"),
    [
        (Batch(()), "no requests", (None, None)),
        (Batch((good,), model=" "), "no model", (None, None)),
        (Batch((good, Request("", (Context("a"),)))), "Request 2: the query is empty", (1, None)),
        (Batch((Request("q", ()),)), "no contexts", (0, None)),
        (Batch((good, Request("q", (Context("a"), Context(""))))), "Request 2, context 2", (1, 1)),
        (Batch((Request("\ud800", (Context("a"),)),)), "lone surrogate", (0, None)),
        (Batch((Request("q", (Context("\udfff"),)),)), "lone surrogate", (0, 0)),
        (Batch((Request("q", (Context("a", id="\udfff"),)),)), "lone surrogate", (0, 0)),
        (Batch((Request("q", (Context("a"),), "\udfff"),)), "lone surrogate", (0, None)),
    ],
)
def test_a_batch_that_cannot_be_sent_is_refused_with_its_place(
    open_jobs: OpenJobs, batch: Batch, words: str, place: tuple[int | None, int | None]
) -> None:
    jobs = open_jobs()
    with pytest.raises(InvalidBatch, match=words) as caught:
        jobs.submit(batch, backend=BACKEND)
    assert (caught.value.request_index, caught.value.context_index) == place
    assert caught.value.hint
    assert jobs.count() == 0


@pytest.mark.parametrize("text", ["\0", "\x1b]52;c;aGk=\x07", "‮", "é é", "𝔘𝔫𝔦", "￿", "\r\n\t ", "日本語"])
def test_texts_are_kept_to_the_byte(open_jobs: OpenJobs, text: str) -> None:
    jobs = open_jobs()
    batch = Batch((Request(text, (Context(text, id=text, relevance=1),), text),), truncate_inputs=True)
    job = jobs.submit(batch, backend=BACKEND)
    assert jobs.batch(job.id) == batch
    assert jobs.request(job.id, 0) == batch.requests[0]
    assert jobs.request(job.id, 1) is None


def test_settings_of_a_batch_are_kept(open_jobs: OpenJobs) -> None:
    jobs = open_jobs()
    batch = msgspec.structs.replace(batch_of("q"), model="@cf/baai/bge-reranker-base", top_k=2)
    job = jobs.submit(batch, backend=BACKEND)
    assert jobs.batch(job.id) == batch
    assert jobs.page(JobQuery(text="reranker"), 0, 1) == [job]


@pytest.mark.parametrize(
    ("parts", "state"),
    [
        ([S.PENDING], JobState.SENDING),
        ([S.IN_FLIGHT], JobState.SENDING),
        ([S.PENDING, S.UNCONFIRMED], JobState.SENDING),
        ([S.PENDING, S.DONE], JobState.SENDING),
        ([S.UNCONFIRMED, S.RUNNING], JobState.UNCONFIRMED),
        ([S.UNCONFIRMED, S.DONE], JobState.UNCONFIRMED),
        ([S.QUEUED, S.QUEUED], JobState.QUEUED),
        ([S.QUEUED, S.RUNNING], JobState.RUNNING),
        ([S.QUEUED, S.DONE], JobState.RUNNING),
        ([S.DONE, S.DONE], JobState.DONE),
        ([S.DONE, S.FAILED], JobState.DONE),
        ([S.DONE, S.EXPIRED], JobState.DONE),
        ([S.FAILED, S.EXPIRED], JobState.FAILED),
        ([S.EXPIRED, S.EXPIRED], JobState.EXPIRED),
        ([S.FAILED], JobState.FAILED),
    ],
)
def test_the_state_of_a_job_follows_from_its_parts(parts: list[PartState], state: JobState) -> None:
    counts = {part: parts.count(part) for part in parts}
    assert derive_state(counts, stopped=False, takes_batches=True, all_failed=False) is state


def test_a_job_is_stopped_only_while_something_of_it_is_left() -> None:
    for pair in product(PartState, repeat=2):
        counts = {part: pair.count(part) for part in pair}
        state = derive_state(counts, stopped=True, takes_batches=True, all_failed=False)
        left = bool({*pair} & {S.PENDING, S.IN_FLIGHT, S.QUEUED, S.RUNNING})
        assert (state is JobState.STOPPED) == left


def test_a_job_of_which_every_request_failed_is_failed() -> None:
    assert derive_state({S.DONE: 1}, stopped=False, takes_batches=True, all_failed=True) is JobState.FAILED


def test_a_job_without_batches_runs_from_its_first_answer_on() -> None:
    counts = {S.DONE: 1, S.PENDING: 8}
    assert derive_state(counts, stopped=False, takes_batches=False, all_failed=False) is JobState.RUNNING
