"""The list of jobs: order, place, count and search, each against the plain reading of the same rules."""

import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from batchtui.clock import SystemClock
from batchtui.jobs.schedule import FollowPolicy
from batchtui.jobs.search import INDEXED_CHARACTERS, JobQuery, Sort, terms_of
from batchtui.jobs.service import JobsService
from batchtui.model import Batch, Context, Job, JobState, Request

from .conftest import OpenJobs
from .support import ClientsOf, batch_of

BACKEND = "http://127.0.0.1:1/client/v4"
WORDS = ["refund", "refunds", "ship", "shipping", "Zürich", "zurich", "done", "order-31", "検索", "東京都"]
SORTS: list[Sort] = ["newest", "oldest", "tokens", "metric"]

job_kinds = st.lists(
    st.tuples(
        st.sampled_from(sorted(JobState)),
        st.booleans(),
        st.sampled_from([0, 0, 0, 1]),
        st.one_of(st.none(), st.integers(0, 3)),
        st.one_of(st.none(), st.sampled_from([0.0, 0.5, 1.0])),
        st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(" ".join),
    ),
    max_size=12,
)
queries = st.builds(
    JobQuery,
    text=st.one_of(
        st.just(""), st.sampled_from(["ref", "SHIP", "zur", "done", "order 31", "索", "東京", "f s"])
    ),
    states=st.one_of(st.just(frozenset(JobState)), st.frozensets(st.sampled_from(sorted(JobState)))),
    sort=st.sampled_from(SORTS),
    deleted=st.booleans(),
)


def filled(database: Path, kinds: list[tuple[str, bool, int, int | None, float | None, str]]) -> JobsService:
    """A store with jobs of the given states, pins, deletions, tokens, metrics and texts."""
    jobs = JobsService.open(database, ClientsOf(), SystemClock(), FollowPolicy())
    for *_, text in kinds:
        jobs.submit(batch_of(text), backend=BACKEND, label="")
    with jobs._database.write() as connection:
        for number, (state, pinned, deleted, tokens, metric, _) in enumerate(kinds, 1):
            connection.execute(
                "UPDATE jobs SET state = ?, pinned = ?, deleted = ?, total_tokens = ?, ndcg_at_10 = ?,"
                " prompt_tokens = ?, completion_tokens = 0 WHERE id = ?",
                (state, pinned, deleted, tokens, metric, tokens, number),
            )
    return jobs


def plain(text: str) -> str:
    """Lower case and without accents."""
    return "".join(
        letter for letter in unicodedata.normalize("NFD", text.lower()) if not unicodedata.combining(letter)
    )


def found_by(text: str, query: str, state: str) -> bool:
    """Whether every word of the text begins a word of the query or of the batch made of it."""
    words = re.findall(r"[^\W_]+", plain(f"{query} context of {query} 0 1 2 cf baai bge m3"))
    begins = [word[place:] for word in words for place in ([0] if word.isascii() else range(len(word)))]
    return all(
        any(begin.startswith(term) for begin in begins) or state.startswith(term)
        for term in re.findall(r"[^\W_]+", plain(text))
    )


def ordered(jobs: list[tuple[Job, bool]], query: JobQuery) -> list[int]:
    """The ids of the jobs in the order of the query."""
    listed = [job for job, deleted in jobs if deleted == query.deleted and job.state in query.states]
    if query.sort == "oldest":
        return sorted(job.id for job in listed)
    if query.sort == "newest":
        return [job.id for job in sorted(listed, key=lambda job: (job.pinned, job.id), reverse=True)]

    def value(job: Job) -> float:
        if query.sort == "metric":
            return -1 if job.ndcg_at_10 is None else job.ndcg_at_10
        return -1 if job.usage is None else job.usage.total_tokens

    return [job.id for job in sorted(listed, key=lambda job: (value(job), job.id), reverse=True)]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kinds=job_kinds, query=queries, data=st.data())
def test_pages_places_and_counts_agree_with_the_rules(
    tmp_path_factory: pytest.TempPathFactory,
    kinds: list[tuple[str, bool, int, int | None, float | None, str]],
    query: JobQuery,
    data: st.DataObject,
) -> None:
    jobs = filled(tmp_path_factory.mktemp("listing") / "batchtui.db", kinds)
    every = [(jobs.job(number), bool(kind[2])) for number, kind in enumerate(kinds, 1)]
    matching = [
        (job, deleted)
        for (job, deleted), kind in zip(every, kinds, strict=True)
        if job is not None and found_by(query.text, kind[5], job.state)
    ]
    expected = ordered(matching, query)

    assert [job.id for job in jobs.page(query, 0, 100)] == expected
    assert jobs.count(query) == len(expected)
    assert [jobs.position(query, job_id) for job_id in expected] == list(range(len(expected)))
    offset = data.draw(st.integers(0, 12))
    limit = data.draw(st.integers(0, 12))
    assert [job.id for job in jobs.page(query, offset, limit)] == expected[offset : offset + limit]
    jobs.close()


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60))
def test_any_text_may_be_searched_for(searched: JobsService, text: str) -> None:
    query = JobQuery(text=text)
    assert len(searched.page(query, 0, 10)) == searched.count(query) <= 1


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> JobsService:
    """A store with one job."""
    return filled(
        tmp_path_factory.mktemp("search") / "batchtui.db", [("done", False, 0, None, None, "refund")]
    )


@pytest.mark.parametrize(
    "text", ['"', "'", "*", "a*b", "NEAR(", "label:x", "x OR", "-", "^", "\0", "\ud800", "( ("]
)
def test_signs_of_the_search_engine_are_only_text(searched: JobsService, text: str) -> None:
    assert searched.count(JobQuery(text=text)) in (0, 1)
    assert searched.count(JobQuery(text=f"refund {text}")) in (0, 1)


def test_everything_a_person_may_remember_finds_the_job(open_jobs: OpenJobs) -> None:
    jobs = open_jobs()
    request = Request("how long do refunds take", (Context("within fourteen days"),), "ticket-4711")
    job = jobs.submit(Batch((request,)), backend=BACKEND, label="monday")
    jobs.submit(batch_of("another"), backend=BACKEND)
    jobs.set_note(job.id, "ask Ærøskøbing")
    jobs.set_label(job.id, "tuesday")
    for text in ("refu", "FOURT", "4711", "ticket-47", "tues", "ærø", "how days", "bge fourteen tick"):
        assert [found.id for found in jobs.page(JobQuery(text=text), 0, 10)] == [job.id], text
    for text in ("monday", "fourteen weeks", "ourteen"):
        assert jobs.count(JobQuery(text=text)) == 0, text
    assert jobs.count(JobQuery(text="send")) == 2


def test_a_long_job_is_found_by_its_beginning(open_jobs: OpenJobs) -> None:
    jobs = open_jobs()
    long = "word " * (INDEXED_CHARACTERS // 5) + "beyond"
    jobs.submit(Batch((Request("query", (Context("first " + long), Context("second"))),)), backend=BACKEND)
    assert jobs.count(JobQuery(text="first")) == 1
    assert jobs.count(JobQuery(text="beyond")) == 0


def test_a_search_has_a_bounded_number_of_words() -> None:
    assert len(terms_of("word " * 10_000)) <= 16


def test_counts_by_state_follow_the_jobs(open_jobs: OpenJobs) -> None:
    jobs = open_jobs()
    ids = [jobs.submit(batch_of(f"query {number}"), backend=BACKEND).id for number in range(5)]
    jobs.stop(ids[0])
    jobs.delete(ids[1])
    assert jobs.count() == 4
    assert jobs.count(JobQuery(states=frozenset({JobState.SENDING}))) == 3
    assert jobs.count(JobQuery(states=frozenset({JobState.STOPPED}))) == 1
    assert jobs.open_count() == 3
