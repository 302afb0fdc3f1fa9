"""From an empty screen to a ranking: compose, submit, watch, read, change a word, submit again."""

import pytest

from batchtui.model import JobState

from .support import (
    EMOJI,
    LLAMA,
    NARROW,
    ORANGE,
    QUERY,
    SAMPLE,
    WIDE,
    at_the_app,
    drafted,
    request,
    write_config,
)


@pytest.mark.parametrize("size", [WIDE, NARROW])
async def test_a_typed_batch_ends_ranked(size: tuple[int, int]) -> None:
    async with at_the_app(size) as person:
        await person.until_focused("query")
        assert "local" in person.line_with("batchtui")
        await person.compose(*SAMPLE)
        await person.press("ctrl+s")
        await person.until(lambda: person.jobs, "for the job to be kept at once")
        await person.until_ended()
        assert person.ranked[0] == ORANGE
        assert set(person.ranked) == {ORANGE, LLAMA, EMOJI}
        await person.until_seen("done in", "tokens", "prompt", "completion")


async def test_enter_goes_from_the_query_to_the_contexts_and_adds_each() -> None:
    async with at_the_app() as person:
        await person.type("one query")
        await person.press("enter")
        await person.until_focused("editor")
        await person.type("the first")
        await person.press("enter")
        await person.until(lambda: person.texts == ["the first"])
        await person.until_focused("editor")
        await person.type("the second")
        await person.press("enter")
        await person.until(lambda: person.texts == ["the first", "the second"])
        assert person.app.compose_pane.unfinished == ""
        assert person.batch.requests[0].query == "one query"


async def test_who_types_faster_than_the_screen_draws_loses_nothing() -> None:
    async with at_the_app() as person:
        person.send(*"quick", "enter", *"one", "enter", *"two", "enter", *"three", "ctrl+s")
        await person.until(lambda: person.jobs)
        batch = person.service.batch(1)
        assert [request.query for request in batch.requests] == ["quick"]
        assert [context.text for context in batch.requests[0].contexts] == ["one", "two", "three"]


async def test_a_long_text_typed_at_once_comes_in_as_a_whole_and_what_follows_it_waits() -> None:
    query, context = "to be or not to be, " * 100, "漢字かな交じり文" * 100
    async with at_the_app() as person:
        before = person.app._handing_over
        person.send(*query, "enter", *context, "backspace", *"!?", "ctrl+s")
        await person.until(lambda: person.jobs)
        (sent,) = person.service.batch(1).requests
        assert (sent.query, [one.text for one in sent.contexts]) == (query, [f"{context[:-1]}!?"])
        # A turn for each text and each key between, and some for what came before the rest was there.
        assert person.app._handing_over - before < 100


async def test_a_letter_that_is_a_key_of_its_own_is_one_amid_a_text_too() -> None:
    write_config('[keys]\nresults = "x"\n')
    async with at_the_app(draft=drafted(request(QUERY, "c"))) as person:
        await person.press("end")
        person.send(*"abxjk", "f3", *"de")
        await person.until(lambda: person.batch.requests[0].query == f"{QUERY}abde")


async def test_letters_typed_at_once_in_a_list_are_keys() -> None:
    async with at_the_app(draft=drafted(request(QUERY, *map(str, range(9))))) as person:
        await person.submitted()
        person.send("f4", *"jjjjkj")
        await person.until(lambda: person.app.results_pane.ranking.cursor == 4)


async def test_submitting_takes_the_unfinished_context_along() -> None:
    async with at_the_app() as person:
        await person.compose("a query", "added", "not yet added")
        assert person.texts == ["added"]
        await person.press("ctrl+s")
        await person.until(lambda: person.jobs)
        sent = person.service.batch(1).requests[0]
        assert [context.text for context in sent.contexts] == ["added", "not yet added"]


async def test_a_line_break_is_typed_with_ctrl_j_in_either_field() -> None:
    async with at_the_app() as person:
        await person.type("two")
        await person.press("ctrl+j")
        await person.type("lines")
        await person.press("enter")
        await person.type("here")
        await person.press("ctrl+j")
        await person.type("too")
        await person.press("enter")
        await person.until(lambda: person.texts == ["here\ntoo"])
        assert person.batch.requests[0].query == "two\nlines"


async def test_a_job_goes_through_its_states_in_the_list() -> None:
    async with at_the_app(draft=drafted()) as person:
        states: list[str] = []

        def look(_: frozenset[int]) -> None:
            states.extend(job.state for job in person.jobs if job.state not in states)

        person.service.subscribe(look)
        await person.submitted()
        await person.until(lambda: states and states[-1] == JobState.DONE)
        assert states[0] in (JobState.SENDING, JobState.QUEUED)
        await person.until(lambda: "done" in person.line_with("✓"), "for the list to say so")


async def test_a_changed_word_makes_a_second_job_and_either_can_be_looked_at() -> None:
    async with at_the_app(draft=drafted()) as person:
        await person.submitted()
        await person.press("f3")
        await person.press("end", *["backspace"] * len("Cloudflare"))
        await person.type("llamas")
        await person.submitted()
        assert person.service.batch(2).requests[0].query == "This is a story about llamas"
        await person.until(lambda: person.ranked and person.ranked[0] == LLAMA)
        await person.press("f2", "j")
        await person.until(lambda: person.app.results_pane.job_id == 1 and person.ranked[0] == ORANGE)
        await person.until_seen(f"“{QUERY}”")
        await person.press("k")
        await person.until(lambda: person.app.results_pane.job_id == 2 and person.ranked[0] == LLAMA)


async def test_enter_on_a_job_goes_to_its_ranking() -> None:
    async with at_the_app(NARROW, draft=drafted()) as person:
        await person.submitted()
        await person.press("f2", "enter")
        await person.until_focused("ranking")
        await person.until_seen("done in", ORANGE[:10])
