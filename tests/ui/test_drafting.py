"""Contexts and requests of a draft: edited, doubled, moved, deleted, taken back; and drafts that last."""

import pytest

from batchtui.model import Batch, Context, Draft, Request

from .support import EMOJI, LLAMA, ORANGE, SAMPLE, at_the_app, drafted, request


async def test_a_context_is_edited_in_the_editor_and_enter_keeps_it() -> None:
    async with at_the_app(draft=drafted()) as person:
        await person.press("tab")
        await person.until_focused("context-list")
        await person.press("j", "enter")
        await person.until_focused("editor")
        await person.until_seen("editing context 2")
        await person.type(" indeed")
        await person.press("enter")
        await person.until_focused("context-list")
        assert person.texts == [ORANGE, f"{LLAMA} indeed", EMOJI]


async def test_escape_leaves_a_context_as_it_was() -> None:
    async with at_the_app(draft=drafted()) as person:
        await person.press("tab", "enter")
        await person.until_focused("editor")
        await person.type(" never mind")
        await person.press("escape")
        await person.until_focused("context-list")
        assert person.texts == [ORANGE, LLAMA, EMOJI]
        assert person.app.compose_pane.unfinished == ""


async def test_submitting_in_the_middle_of_an_edit_takes_the_edit_in() -> None:
    async with at_the_app(draft=drafted()) as person:
        await person.press("tab", "enter")
        await person.until_focused("editor")
        await person.type(" edited")
        await person.press("ctrl+s")
        await person.until(lambda: person.jobs)
        sent = [context.text for context in person.service.batch(1).requests[0].contexts]
        assert sent == [f"{ORANGE} edited", LLAMA, EMOJI]


async def test_contexts_are_doubled_moved_deleted_and_it_is_taken_back() -> None:
    async with at_the_app(draft=drafted()) as person:
        await person.press("tab", "D")
        await person.until(lambda: person.texts == [ORANGE, ORANGE, LLAMA, EMOJI])
        await person.press("G", "K")
        await person.until(lambda: person.texts == [ORANGE, ORANGE, EMOJI, LLAMA])
        await person.press("d")
        await person.until(lambda: person.texts == [ORANGE, ORANGE, LLAMA])
        await person.press("g", "J")
        await person.press("u", "u", "u", "u")
        await person.until(lambda: person.texts == [ORANGE, LLAMA, EMOJI])
        await person.press("U")
        await person.until(lambda: person.texts == [ORANGE, ORANGE, LLAMA, EMOJI])


async def test_deleting_the_last_context_is_no_error() -> None:
    async with at_the_app(draft=drafted(request("q", "only one"))) as person:
        await person.press("tab", "d")
        await person.until(lambda: person.texts == [])
        await person.press("d", "D", "K", "enter")
        assert person.texts == []
        await person.press("u")
        await person.until(lambda: person.texts == ["only one"])


async def test_a_draft_of_several_requests_is_walked_through_and_sent_whole() -> None:
    async with at_the_app(draft=drafted()) as person:
        await person.press("f8")
        await person.until(lambda: len(person.batch.requests) == 2)
        await person.until_focused("query")
        await person.type("a second query for the same contexts")
        assert person.texts == [ORANGE, LLAMA, EMOJI]
        await person.press("ctrl+pageup")
        await person.until(lambda: person.app.compose_pane.composition.request_index == 0)
        await person.until_seen("request 1/2")
        await person.press("ctrl+s")
        job = await person.until_ended()
        assert (job.requests, job.contexts) == (2, 6)
        references = {request.external_reference for request in person.service.batch(1).requests}
        assert len(references) == 2 and None not in references
        await person.press("f4", "right_square_bracket")
        await person.until_seen("“a second query for the same contexts”")


@pytest.mark.parametrize("size", [(120, 36), (80, 24)])
async def test_the_draft_and_the_jobs_are_there_again_in_the_next_run(size: tuple[int, int]) -> None:
    async with at_the_app(size, draft=drafted()) as person:
        await person.submitted()
        await person.press("f3")
        await person.until_focused("query")
        await person.type(" and")
        await person.press("tab", "tab")
        await person.until_focused("editor")
        await person.type("an unfinished context")
        await person.quit()
    async with at_the_app(size) as person:
        assert person.batch.requests[0].query == f"{SAMPLE[0]} and"
        assert person.texts == [ORANGE, LLAMA, EMOJI]
        assert person.app.compose_pane.unfinished == "an unfinished context"
        assert person.listed == [1]
        await person.press("f4")
        await person.until(lambda: person.ranked and person.ranked[0] == ORANGE)


async def test_a_draft_is_saved_while_it_is_typed() -> None:
    async with at_the_app() as person:
        await person.type("saved without a key for it")

        def kept() -> list[str]:
            return [request.query for draft in person.service.drafts() for request in draft.batch.requests]

        await person.until(lambda: kept() == ["saved without a key for it"])


async def test_a_new_draft_keeps_the_old_one_which_is_chosen_again() -> None:
    async with at_the_app() as person:
        await person.compose("the old one", "its context")
        await person.press("ctrl+n")
        await person.until(lambda: person.app.compose_pane.composition.empty)
        await person.type("the new one")
        await person.press("f7")
        await person.until_seen("Drafts", "the old one", "the new one")
        await person.press("down", "enter")
        await person.until(lambda: person.batch.requests[0].query == "the old one")
        assert person.app.compose_pane.unfinished == "its context"


async def test_ids_and_known_relevance_of_a_draft_are_sent_along_untouched() -> None:
    contexts = (Context("first", "doc-1", 3), Context("second", "doc-2"))
    draft = Draft(0, Batch((Request("query", contexts, "my-reference"),)))
    async with at_the_app(draft=draft) as person:
        assert "doc-1" in person.seen
        await person.submitted()
        assert person.service.batch(1).requests == (Request("query", contexts, "my-reference"),)
