"""What can't be sent is told at its place, and what was typed stays."""

import logging

import pytest
from textual.widgets import Static

from batchtui.jobs.errors import StoreError
from batchtui.model import JobState

from .support import EMOJI, LLAMA, ORANGE, SAMPLE, Person, at_the_app, drafted, request


async def _refused(person: Person, where: str) -> None:
    await person.press("ctrl+s")
    await person.until_focused(where)
    await person.until_told("Not sent")
    assert person.jobs == []


async def test_a_batch_without_a_query_is_not_sent_and_the_query_has_the_focus() -> None:
    async with at_the_app() as person:
        await person.press("enter")
        await person.type("a context without a query")
        await _refused(person, "query")
        await person.until_seen("query is empty")
        assert "a context without a query" in person.seen


async def test_a_batch_without_a_context_is_not_sent_and_the_editor_has_the_focus() -> None:
    async with at_the_app() as person:
        await person.type("only a query")
        await _refused(person, "editor")
        await person.until_seen("no context yet")
        assert person.batch.requests[0].query == "only a query"


async def test_what_is_to_be_mended_stands_in_compose_until_it_is_mended() -> None:
    async with at_the_app() as person:
        await person.type("only a query")
        await _refused(person, "editor")
        # The draft is saved when the typing rests: by then all that a submit stirs up has settled.
        await person.until(lambda: person.service.drafts(), "for the draft to be kept")
        summary = person.app.compose_pane.query_one("#compose-summary", Static)
        assert "no context yet" in str(summary.render())
        await person.type("a context")
        await person.press("enter")
        await person.until(lambda: "no context yet" not in str(summary.render()))


async def test_an_empty_context_is_not_sent_and_is_under_the_cursor() -> None:
    async with at_the_app(draft=drafted(request("a query", "full", "  ", "also full"))) as person:
        await _refused(person, "context-list")
        await person.until_seen("context 2 is empty")
        assert person.app.compose_pane.query_one("#context-list").cursor == 1  # type: ignore[attr-defined]
        assert len(person.texts) == 3


async def test_what_is_wrong_in_another_request_is_gone_to() -> None:
    async with at_the_app(draft=drafted(request(*SAMPLE), request("", "a context"))) as person:
        await _refused(person, "query")
        assert person.app.compose_pane.composition.request_index == 1


async def test_enter_in_an_empty_editor_adds_nothing_and_says_why() -> None:
    async with at_the_app() as person:
        await person.press("enter", "enter")
        await person.until_seen("nothing to add")
        assert person.texts == []


async def test_a_model_that_does_not_exist_fails_the_job_with_the_reason_and_keeps_the_draft() -> None:
    async with at_the_app(draft=drafted(model="@cf/nobody/nothing")) as person:
        await person.press("ctrl+s")
        job = await person.until_ended()
        assert job.state is JobState.FAILED
        assert job.error is not None
        await person.until_seen("failed", job.error.message[:30])
        assert person.texts[0] == ORANGE


async def test_a_store_that_can_not_be_written_is_told_and_what_was_typed_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(*_: object, **__: object) -> None:
        raise StoreError("The store can't be written: the disk is full", "Make room and try again.")

    async with at_the_app() as person:
        monkeypatch.setattr(person.service, "submit", full)
        monkeypatch.setattr(person.service, "save_draft", full)
        await person.compose("a query", "kept", "kept too")
        await person.press("ctrl+s")
        await person.until_told("disk is full")
        await person.until_told("Not sent")
        assert person.batch.requests[0].query == "a query"
        assert [*person.texts, person.app.compose_pane.unfinished][:2] == ["kept", "kept too"]


async def test_a_backend_that_is_down_shows_the_problem_and_the_job_waits() -> None:
    # Port 9 (discard) listens nowhere that tests run.
    async with at_the_app(backend="http://127.0.0.1:9/client/v4", draft=drafted()) as person:
        assert "127.0.0.1:9" in person.line_with("batchtui")
        await person.press("ctrl+s")
        await person.until(lambda: person.jobs and person.jobs[0].problem, "for the problem")
        job = person.jobs[0]
        assert job.state is JobState.SENDING
        assert job.problem is not None
        await person.until_seen(job.problem.message[:30])
        assert person.service.batch(1).requests[0].contexts[0].text == ORANGE


async def test_credentials_that_are_missing_are_named_before_anything_is_kept() -> None:
    async with at_the_app(backend="cloudflare", draft=drafted()) as person:
        await person.press("ctrl+s")
        await person.until_told("CLOUDFLARE_ACCOUNT_ID")
        assert person.jobs == []


@pytest.mark.parametrize("size", [(40, 10), (59, 36), (120, 15)])
async def test_a_terminal_too_small_says_so_and_keeps_what_was_typed(size: tuple[int, int]) -> None:
    async with at_the_app() as person:
        await person.compose("kept", "kept too")
        await person.pilot.resize_terminal(*size)
        await person.until_seen(f"{size[0]}×{size[1]}", "60×16")
        await person.pilot.resize_terminal(120, 36)
        await person.until_seen("Compose", "kept", "kept too")
        assert person.app.compose_pane.unfinished == "kept too"


async def test_a_fault_of_our_own_beside_the_screen_is_told_and_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*given: object, **named: object) -> None:
        raise OverflowError("too large \x1b[2J")

    # The program's log takes what is said for itself.
    monkeypatch.setattr(logging.getLogger("batchtui"), "propagate", True)
    async with at_the_app(draft=drafted()) as person:
        monkeypatch.setattr(person.service, "submit", fail)
        with caplog.at_level("ERROR", "batchtui"):
            await person.press("ctrl+s")
            await person.until_told("OverflowError: too large ␛[2J")
        assert "Traceback" in caplog.text
        assert person.texts == [ORANGE, LLAMA, EMOJI]
