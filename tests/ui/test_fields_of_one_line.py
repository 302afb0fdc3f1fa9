"""Every field of one line takes in only what a terminal may show, and changes nothing that nobody changed."""

from collections.abc import Sequence

import pytest
from hostile import dangerous_in
from textual.command import Command, CommandList
from textual.screen import Screen
from textual.widgets import Input

from batchtui.model import Batch, Context, Draft, Request
from batchtui.ui.widgets.line_input import SafeInput
from batchtui.ui.widgets.prompt_screen import PromptScreen

from .support import Person, at_the_app, drafted

HOSTILE = "zz\x1b]52;c;ZXZpbA==\x07\u202e\x9b31m\nE"
SHOWN = "zz␛]52;c;ZXZpbA==␇‹U+202E›‹U+009B›31m ⏎ E"
# Names of commands in the palette, or keys; each opens what may hold a field.
WAYS: Sequence[tuple[str, ...]] = (
    (),
    ("f2", "slash"),
    ("ctrl+o",),
    ("ctrl+p",),
    ("ctrl+p", "Theme"),
    ("ctrl+p", "Name draft"),
    ("ctrl+p", "Set reference"),
    ("f6",),
    ("f7",),
    ("f2", "l"),
    ("f2", "n"),
    ("f2", "x", "enter"),
    ("f2", "y"),
    ("f4", "o"),
)


async def _go(person: Person, way: Sequence[str]) -> None:
    for step in way:
        if step[0].isupper():
            await person.until(lambda: isinstance(person.app.focused, Input), "for the palette")
            await person.type(step)
            await _choose(person, step)
        else:
            await person.press(step)


async def _choose(person: Person, name: str) -> None:
    palette = person.app.screen
    await person.until(lambda: _first_offered(palette) == name, f"for {name}")
    await person.press("enter")
    await person.until(lambda: person.app.screen is not palette, "for the choice")


def _first_offered(palette: Screen[object]) -> str:
    offered = palette.query_one(CommandList)
    first = offered.options[0] if offered.option_count else None
    return str(first.hit.text) if isinstance(first, Command) else ""


async def _until_filled(person: Person, field: Input) -> None:
    await person.until(lambda: field.value == SHOWN, f"for the text in {field}")


def _fields(screen: Screen[object]) -> list[Input]:
    return [field for field in screen.query(Input) if field.display]


async def test_no_field_on_any_screen_shows_what_a_terminal_obeys() -> None:
    filled = set()
    async with at_the_app(draft=drafted()) as person:
        await person.submitted()
        person.app.copy_to_clipboard(HOSTILE)
        for way in WAYS:
            await _go(person, way)
            for field in _fields(person.app.screen):
                assert isinstance(field, SafeInput), way
                field.focus()
                for come_in in (person.paste(HOSTILE), person.press("ctrl+v")):
                    field.value = ""
                    await come_in
                    await _until_filled(person, field)
                    assert dangerous_in(person.seen) == [], way
                filled.add(way)
            while len(person.app.screen_stack) > 1:
                person.app.pop_screen()
            await person.pilot.pause()
            person.app.jobs_pane.action_leave_find()
    assert len(filled) == 9, filled


@pytest.mark.parametrize("reference", [HOSTILE, " spaces around "])
async def test_a_reference_that_is_looked_at_and_not_changed_stays_to_the_byte(reference: str) -> None:
    request = Request("a query", (Context("a context"),), reference)
    async with at_the_app(draft=Draft(0, Batch((request,)), name=reference)) as person:
        for command in ("Set reference", "Name draft"):
            await _go(person, ("ctrl+p", command))
            await person.until_seen("Unchanged it stays to the byte")
            await person.press("enter")
            await person.until(lambda: len(person.app.screen_stack) == 1)
        assert person.batch.requests == (request,)
        assert person.app.draft_actions.current().name == reference


async def test_a_reference_that_is_changed_is_what_is_seen() -> None:
    async with at_the_app(draft=Draft(0, Batch((Request("a query", (), "a\x1bb"),)))) as person:
        await _go(person, ("ctrl+p", "Set reference"))
        await person.press("end")
        await person.type("c")
        await person.press("enter")
        await person.until(lambda: person.batch.requests[0].external_reference == "a␛bc")


async def test_a_plain_reference_is_asked_for_without_a_word_on_what_is_seen() -> None:
    async with at_the_app(draft=Draft(0, Batch((Request("a query", (), "plain"),)))) as person:
        await _go(person, ("ctrl+p", "Set reference"))
        await person.until_focused("answer")
        assert "Unchanged" not in person.seen


@pytest.mark.parametrize(
    "text",
    ["1\ufe0f\u20e32\ufe0f\u20e3", "👍🏽", "👨\u200d👩\u200d👧", "\u0645\u06cc\u200c\u062e\u0648", "❤\ufe0f"],
)
async def test_a_field_that_scrolls_leaves_nothing_of_what_it_cuts_in_two(text: str) -> None:
    async with at_the_app() as person:
        for more in ("", "a", "ab"):
            person.app.push_screen(PromptScreen("A title", "A question", text * 60 + more))
            await person.until_focused("answer")
            for _ in range(5):
                assert dangerous_in(person.seen) == []
                await person.press("left")
            person.app.pop_screen()
