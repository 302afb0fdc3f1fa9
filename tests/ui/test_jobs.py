"""What is done to jobs: again, delete and bring back, find, sort, name, mark and compare, export, stop."""

import json
from pathlib import Path

import pytest

from batchtui.model import JobState

from .support import EMOJI, LLAMA, ORANGE, QUERY, SAMPLE, Person, at_the_app, drafted, request


async def _keep(person: Person, *queries: str) -> None:
    """Jobs in the store that nobody follows: enough to list, name and delete."""
    for query in queries:
        batch = drafted(request(query, "a context of it", "another one")).batch
        job = person.service.submit(batch, backend="http://127.0.0.1:9/client/v4")
        person.service.stop(job.id)
    person.app.jobs_pane.reload()
    await person.press("f2")
    await person.until(lambda: len(person.listed) == len(queries))


async def test_again_makes_the_batch_a_new_draft_and_leaves_the_job_alone() -> None:
    async with at_the_app(draft=drafted()) as person:
        await person.submitted()
        await person.press("f3", "ctrl+n")
        await person.type("another draft")
        await person.press("f2", "r")
        await person.until_focused("query")
        await person.until(lambda: person.texts == [ORANGE, LLAMA, EMOJI])
        assert person.batch.requests[0].query == QUERY
        assert len(person.jobs) == 1
        kept = [draft.batch.requests[0].query for draft in person.service.drafts() if draft.batch.requests]
        assert "another draft" in kept


async def test_submit_again_sends_the_batch_at_once() -> None:
    async with at_the_app(draft=drafted()) as person:
        await person.submitted()
        await person.press("f2", "R")
        await person.until_ended(2)
        assert person.service.batch(1) == person.service.batch(2)


async def test_a_deleted_job_is_gone_from_the_list_and_u_brings_it_back() -> None:
    async with at_the_app() as person:
        await _keep(person, "first", "second", "third")
        await person.press("j", "d")
        await person.until(lambda: person.listed == [3, 1])
        await person.until_told("job 2 deleted")
        await person.press("d")
        await person.until(lambda: len(person.listed) == 1)
        await person.press("u", "u")
        await person.until(lambda: person.listed == [3, 2, 1])
        await person.press("u")
        await person.until_told("Nothing was deleted")


async def test_several_marked_jobs_are_deleted_and_brought_back_as_one() -> None:
    async with at_the_app() as person:
        await _keep(person, "first", "second", "third")
        await person.press("space", "space")
        await person.until_seen("2 marked")
        await person.press("d")
        await person.until(lambda: person.listed == [1])
        await person.press("u")
        await person.until(lambda: person.listed == [3, 2, 1])


async def test_the_filter_finds_jobs_as_it_is_typed_and_escape_shows_all_again() -> None:
    async with at_the_app() as person:
        await _keep(person, "shipping abroad", "refund of a gift", "shipping at home")
        await person.press("slash")
        await person.until_focused("job-filter")
        await person.type("ship")
        await person.until(lambda: person.listed == [3, 1])
        await person.type("ping abr")
        await person.until(lambda: person.listed == [1])
        await person.type("xyz")
        await person.until(lambda: person.listed == [])
        await person.until_seen("No job has")
        await person.press("escape")
        await person.until(lambda: person.listed == [3, 2, 1])
        await person.until_focused("job-list")


async def test_the_list_is_sorted_and_says_by_what() -> None:
    async with at_the_app() as person:
        await _keep(person, "first", "second", "third")
        await person.press("S")
        await person.until(lambda: person.listed == [1, 2, 3])
        await person.until_seen("by oldest")


async def test_a_job_is_named_and_a_pinned_one_stays_on_top() -> None:
    async with at_the_app() as person:
        await _keep(person, "first", "second", "third")
        await person.press("G", "l")
        await person.until_focused("answer")
        await person.press("ctrl+u")
        await person.type("mine")
        await person.press("enter")
        await person.until(lambda: person.jobs[-1].label == "mine")
        await person.until(lambda: "stopped" in person.line_with("mine"))
        await person.press("p")
        await person.until(lambda: person.listed == [1, 3, 2])


async def test_the_list_is_walked_with_the_keys_of_lists() -> None:
    async with at_the_app() as person:
        await _keep(person, *(f"query {number}" for number in range(40)))
        listed = person.app.jobs_pane.jobs
        await person.press("G")
        assert listed.cursor == 39
        await person.press("k", "up", "pageup")
        above = listed.cursor
        assert above < 37
        await person.press("pagedown", "j")
        assert above < listed.cursor <= 39
        await person.press("g")
        assert listed.cursor == 0
        await person.press("k")
        assert listed.cursor == 0


async def test_two_marked_jobs_are_compared_and_the_screen_is_left() -> None:
    async with at_the_app(draft=drafted()) as person:
        await person.submitted()
        await person.press("f3", "tab", "d")
        await person.until(lambda: person.texts == [LLAMA, EMOJI])
        await person.submitted()
        await person.press("f2", "space", "space", "c")
        await person.until_seen("Compare jobs 1 and 2", QUERY)
        assert "moved" in person.seen
        await person.press("escape")
        await person.until_focused("job-list")


async def test_jobs_without_a_query_in_common_are_told_so() -> None:
    async with at_the_app(draft=drafted()) as person:
        await person.submitted()
        await person.press("f2", "c")
        await person.until_told("No earlier job")


async def test_a_job_is_exported_to_the_file_that_is_named(home: Path) -> None:
    async with at_the_app(draft=drafted()) as person:
        await person.submitted()
        await person.press("f2", "x")
        await person.until_seen("Export job 1", "json")
        await person.press("enter")
        await person.until_focused("answer")
        await person.press("ctrl+u")
        await person.type("out.json")
        await person.press("enter")
        await person.until(lambda: (home / "out.json").exists())
        exported = json.loads((home / "out.json").read_text("utf-8"))
        assert [row["text"] for row in exported["requests"][0]["ranking"]] == person.ranked


async def test_an_export_that_can_not_be_written_is_told() -> None:
    async with at_the_app(draft=drafted()) as person:
        await person.submitted()
        await person.press("f2", "x", "enter")
        await person.until_focused("answer")
        await person.press("ctrl+u")
        await person.type("nowhere/at/all.json")
        await person.press("enter")
        await person.until_told("can't be written")


async def test_stopping_and_following_again() -> None:
    async with at_the_app(backend="http://127.0.0.1:9/client/v4", draft=drafted()) as person:
        await person.press("ctrl+s")
        await person.until(lambda: person.jobs and person.jobs[0].problem)
        await person.press("f2", "s")
        await person.until(lambda: person.jobs[0].state is JobState.STOPPED)
        await person.until_seen("■ stopped")
        await person.press("s")
        await person.until(lambda: person.jobs[0].state.open)


async def test_keys_for_jobs_where_there_is_none_are_told_and_harm_nothing() -> None:
    async with at_the_app() as person:
        await person.press("f2")
        await person.press(*"crRasdulnpxyv", "enter", "space", "S", "G")
        await person.until_told("no job here yet")
        assert person.jobs == []


async def test_two_windows_on_one_store_both_show_a_job() -> None:
    async with at_the_app(draft=drafted()) as first, at_the_app() as second:
        await first.submitted()
        await second.until(lambda: second.listed == [1] and "done" in second.line_with("✓"))


@pytest.mark.parametrize("grade", [0, 2])
async def test_a_metric_of_judgments_stands_in_the_list(grade: int) -> None:
    async with at_the_app(draft=drafted()) as person:
        await person.submitted()
        await person.press("f4", str(grade))
        await person.until(lambda: person.jobs[0].ndcg_at_10 is not None)
        metric = person.jobs[0].ndcg_at_10
        assert metric == (1.0 if grade else 0.0)
        await person.until(lambda: f"{metric:.2f}" in person.line_with("✓"))


async def test_the_raw_answer_is_shown() -> None:
    async with at_the_app(draft=drafted(request(*SAMPLE))) as person:
        await person.submitted()
        await person.press("f2", "v")
        await person.until_seen("responses", "score")
        await person.press("escape")
        await person.until_focused("job-list")
