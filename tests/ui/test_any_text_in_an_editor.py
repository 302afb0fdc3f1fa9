"""A text editor holds any text to the byte, whatever is done to it, and draws it safe."""

import base64
import random

import pytest
from hostile import dangerous_in, hostile_strings
from textual.widgets.text_area import Selection

from batchtui.ui.widgets.text_editor import LONGEST_LINE, MOST_DIFFERENT, TextEditor

from .support import Person, at_the_app

SHORT = [text for _, text in hostile_strings() if 0 < len(text) < 60 and "\r" not in text]


def editor_of(person: Person) -> TextEditor:
    return person.app.query_one("#query", TextEditor)


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_is_typed_pasted_cut_and_taken_back(seed: int) -> None:
    chance = random.Random(seed)
    async with at_the_app() as person:
        editor = editor_of(person)
        text, clipboard, before = "", "", list[str]()
        for _ in range(60):
            lines = text.split("\n")
            places = sorted(
                (row, chance.randint(0, len(lines[row])))
                for row in (chance.randrange(len(lines)), chance.randrange(len(lines)))
            )
            start, end = (sum(len(line) + 1 for line in lines[:row]) + column for row, column in places)
            editor.selection = Selection(*places)
            before.append(text)
            match chance.choice(["insert", "insert", "delete", "cut", "copy", "paste", "undo", "redo"]):
                case "insert":
                    new = chance.choice(SHORT)
                    editor.insert_text(new)
                    text = text[:start] + new + text[end:]
                case "delete" if start < end:
                    editor.action_delete_left()
                    text = text[:start] + text[end:]
                case "cut" if start < end:
                    editor.action_cut()
                    clipboard, text = text[start:end], text[:start] + text[end:]
                case "copy" if start < end:
                    editor.action_copy()
                    clipboard = text[start:end]
                case "paste" if clipboard:
                    editor.action_paste()
                    text = text[:start] + clipboard + text[end:]
                case "undo" | "redo" as way:
                    editor.action_undo() if way == "undo" else editor.action_redo()
                    assert editor.value in before
                    text = editor.value
            assert editor.value == text
            assert person.app.clipboard == clipboard
            assert not set(editor.text) & set("\x1b\x07\x9b\u202e\u200b\ud800")
        await person.pilot.pause()
        assert dangerous_in(person.seen) == []


async def test_a_character_keeps_its_stand_in_when_another_one_comes() -> None:
    async with at_the_app() as person:
        editor = editor_of(person)
        editor.insert_text("\x1b")
        editor.action_delete_left()
        editor.insert_text("\x07")
        editor.insert_text("\x1b")
        assert editor.value == "\x07\x1b"
        editor.undo()
        editor.undo()
        editor.undo()
        assert editor.value in ("", "\x1b")


async def test_a_paste_of_many_lines_is_taken_back_and_brought_again() -> None:
    lines = "\n".join(f"line {number}" for number in range(12))
    async with at_the_app() as person:
        await person.paste(lines)
        await person.until(lambda: editor_of(person).value == lines)
        assert editor_of(person).has_focus
        await person.press("ctrl+z")
        await person.until(lambda: editor_of(person).value == "")
        await person.press("ctrl+y")
        await person.until(lambda: editor_of(person).value == lines)


async def test_a_line_that_is_cut_is_cut_as_it_is() -> None:
    async with at_the_app() as person:
        editor = editor_of(person)
        editor.insert_text("a\x1b[31mb")
        await person.press("ctrl+x")
        assert editor.value == ""
        assert person.app.clipboard.rstrip("\n") == "a\x1b[31mb"
        await person.press("ctrl+v")
        assert editor.value.rstrip("\n") == "a\x1b[31mb"


async def test_other_programs_are_given_what_can_be_pasted_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    async with at_the_app() as person:
        written: list[str] = []
        monkeypatch.setattr(person.app._driver, "write", written.append)
        editor_of(person).insert_text("a\x1b[201~\tb\ud800")
        await person.press("ctrl+a", "shift+end", "ctrl+c")
        await person.until(lambda: person.app.clipboard == "a\x1b[201~\tb\ud800")
        [sent] = [text for text in written if text.startswith("\x1b]52;c;")]
        assert base64.b64decode(sent[7:-1]).decode() == "a␛[201~\tb‹U+D800›"


async def test_half_a_character_is_copied_too() -> None:
    async with at_the_app() as person:
        editor = editor_of(person)
        editor.insert_text("ab\ud800cd")
        await person.press("ctrl+a", "shift+end", "ctrl+c")
        await person.until(lambda: person.app.clipboard == "ab\ud800cd")


async def test_what_textual_itself_puts_in_is_hidden_too() -> None:
    async with at_the_app() as person:
        editor = editor_of(person)
        editor.insert("x\x1b]0;y\x07")
        assert editor.value == "x\x1b]0;y\x07"
        assert "\x1b" not in editor.text


async def test_a_text_of_more_different_characters_than_can_stand_in_is_kept_whole() -> None:
    text = "".join(map(chr, range(0xF0000, 0xF0000 + MOST_DIFFERENT + 1)))
    async with at_the_app() as person:
        editor = editor_of(person)
        editor.insert_text(text)
        assert editor.holds_whole
        assert editor.value == text


async def test_a_line_that_is_typed_longer_than_can_be_edited_is_kept_whole_with_what_follows() -> None:
    async with at_the_app() as person:
        person.send(*"ab" * (LONGEST_LINE // 2 + 500))
        await person.until(lambda: len(editor_of(person).value) == LONGEST_LINE + 1000)
        assert editor_of(person).holds_whole
        assert editor_of(person).value == "ab" * (LONGEST_LINE // 2 + 500)


async def test_what_is_typed_into_a_text_held_whole_comes_in_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[str] = []
    insert = TextEditor.insert_text

    def counted(editor: TextEditor, text: str) -> None:
        taken.append(text)
        insert(editor, text)

    monkeypatch.setattr(TextEditor, "insert_text", counted)
    typed = "lorem ipsum " * 100
    async with at_the_app() as person:
        held = "x" * (LONGEST_LINE + 1)
        editor_of(person).value = held
        await person.type(typed)
        assert editor_of(person).value == held + typed
    assert len(taken) < len(typed) / 10
