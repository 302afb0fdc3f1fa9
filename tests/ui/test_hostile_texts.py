"""Texts that try to harm the terminal or the markup: shown safe everywhere, kept and sent to the byte."""

import pytest
from hostile import dangerous_in, hostile_bytes, hostile_strings

from batchtui.model import Batch, Context, Draft, JobState, Request
from batchtui.ui.job_actions import readable_answer

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


async def test_a_very_long_line_neither_freezes_nor_is_cut() -> None:
    long = "word " * 60_000
    async with at_the_app() as person:
        await person.press("enter")
        await person.until_focused("editor")
        await person.paste(long)
        await person.until(lambda: person.app.compose_pane.unfinished == long)
        await person.press("enter")
        await person.until(lambda: person.texts == [long])
