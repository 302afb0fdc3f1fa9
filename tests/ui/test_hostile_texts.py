"""Texts that try to harm the terminal or the markup: shown safe everywhere, kept and sent to the byte."""

from pathlib import Path

import msgspec
import pytest
from hostile import dangerous_in, hostile_bytes, hostile_strings

from batchtui.model import Batch, Context, Draft, JobState, Request
from batchtui.text import cell_width
from batchtui.ui.job_actions import readable_answer
from batchtui.ui.results_view import details, load_view

from .support import NARROW, WIDE, Person, at_the_app

FAMILIES = (
    "osc", "csi", "string", "escape", "control", "bidi", "invisible", "marks", "joiner", "plane", "markup",
    "script", "layout", "syntax", "disguise",
)  # fmt: skip


def _family(name: str) -> list[str]:
    return [text for entry, text in hostile_strings() if entry.startswith(f"{name}: ")]


def _texts(name: str) -> list[str]:
    texts = [text for text in _family(name) if text.strip() and len(text) < 5000]
    return [text for text in texts if not any("\ud800" <= letter <= "\udfff" for letter in text)]


async def _look(person: Person) -> None:
    assert dangerous_in(person.seen) == [], person.seen


@pytest.mark.parametrize("wrapped", [b"%b", b'{"result": "%b"}', b'{"result": %b}'])
def test_an_answer_of_any_bytes_can_be_read_as_it_came(wrapped: bytes) -> None:
    for name, body in hostile_bytes():
        assert dangerous_in(readable_answer(wrapped % body)) == [], name
    assert readable_answer(b'{"a":[1]}') == '{\n  "a": [\n    1\n  ]\n}'
    deep = b"[" * 5_000 + b"]" * 5_000
    assert readable_answer(deep) == deep.decode()


@pytest.mark.parametrize("family", FAMILIES)
async def test_hostile_texts_are_shown_safe_in_every_pane_and_sent_as_they_are(family: str) -> None:
    texts = _texts(family)
    contexts = tuple(Context(text, id=text[:30]) for text in texts[:12])
    request = Request(texts[0], contexts, texts[-1])
    async with at_the_app(WIDE, draft=Draft(0, Batch((request,)), name=texts[0])) as person:
        await _look(person)
        await person.press("ctrl+s")
        await person.until(lambda: person.jobs, "for the job")
        await person.until_ended()
        await _look(person)
        assert person.service.batch(1).requests == (request,)
        await person.press("f4", *["j"] * 3)
        await _look(person)
        await person.press("f3", "tab", "enter")
        await person.until_focused("editor")
        await _look(person)
        assert person.app.compose_pane.query_one("#editor").value == texts[0]  # type: ignore[attr-defined]


async def test_a_hostile_text_that_is_edited_stays_to_the_byte_but_for_the_edit() -> None:
    text = "a\x1b]52;c;cHduZWQ=\x07b\u202ec\x9b31m[/]"
    async with at_the_app() as person:
        await person.paste(text)
        await person.until(lambda: person.batch.requests[0].query == text)
        await person.type("!")
        await person.until(lambda: person.batch.requests[0].query == f"{text}!")
        await _look(person)


@pytest.mark.parametrize("size", [WIDE, NARROW])
async def test_hostile_words_of_a_backend_are_shown_safe(size: tuple[int, int]) -> None:
    hostile = "\x1b]52;c;cHduZWQ=\x07[bold]\u202e[/] \x9b2J"
    draft = Draft(0, Batch((Request("a query", (Context("a context"),)),), model=hostile), name=hostile)
    async with at_the_app(size, draft=draft) as person:
        await person.press("ctrl+s")
        job = await person.until_ended()
        assert job.state is JobState.FAILED
        await _look(person)
        await person.press("f2", "l")
        await person.until_focused("answer")
        await _look(person)
        await person.press("escape", "d")
        await person.until_told("deleted")
        await _look(person)


FORGED = "rid-1\nstate                done in 1 s · 0 tokens\nbackend              https://elsewhere"


async def test_each_detail_of_a_job_takes_one_line() -> None:
    draft = Draft(0, Batch((Request("a query", (Context("a context"),), FORGED),)))
    async with at_the_app(draft=draft) as person:
        job = await person.submitted()
        for change in (person.service.set_label, person.service.set_note):
            change(job.id, FORGED)
        view = load_view(person.service, job.id, 0)
        assert view is not None
        told = msgspec.structs.replace(view.job, request_id=FORGED, model=FORGED, scorer=FORGED)
        lines = details(msgspec.structs.replace(view, job=told), 0).splitlines()
        names = [line.split()[0] for line in lines]
        assert (names.count("state"), names.count("backend")) == (1, 1)
        assert sum("⏎" in line for line in lines) == 6


async def test_the_name_of_a_file_takes_one_line_of_its_preview(home: Path) -> None:
    name = "ok.json (JSON): 1 request, 1 context\n“another query”\n\n\n\n\n\n.json"
    (home / name).write_text('{"requests": [{"query": "the query", "contexts": [{"text": "a context"}]}]}')
    async with at_the_app() as person:
        person.app.draft_actions.read(home / name)
        await person.until_seen("“the query”")
        assert "⏎" in person.line_with("ok.json")


async def test_a_wide_reference_keeps_the_columns_of_the_overview() -> None:
    requests = [
        Request("zebra", (Context("a"),), reference) for reference in ("plain", "漢字の参照", "e\u0301")
    ]
    async with at_the_app(draft=Draft(0, Batch(tuple(requests)))) as person:
        await person.submitted()
        await person.press("f4", "o")
        await person.until_seen("Requests of job 1")
        rows = [line for line in person.seen.splitlines() if "zebra" in line]
        assert len(rows) == 3
        assert len({cell_width(row.partition("zebra")[0]) for row in rows}) == 1


async def test_a_very_long_line_neither_freezes_nor_is_cut() -> None:
    long = "word " * 60_000
    async with at_the_app() as person:
        await person.press("enter")
        await person.until_focused("editor")
        await person.paste(long)
        await person.until(lambda: person.app.compose_pane.unfinished == long)
        await person.press("enter")
        await person.until(lambda: person.texts == [long])
