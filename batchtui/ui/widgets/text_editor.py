"""A field for text that is not ours: what a terminal must never see is held and drawn as stand-ins."""

import re
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.document._document import EditResult
from textual.document._edit import Edit
from textual.geometry import Offset
from textual.message import Message
from textual.widgets import TextArea

from batchtui.text import MARKS_ON_ONE_BASE, cell_width, safe

# A TextArea with one line of 1 MB takes over a second a key; below these it stays quick.
LONGEST_LINE = 20_000
LONGEST_TEXT = 200_000

# More different characters than any language has; each hidden one takes a stand-in.
MOST_DIFFERENT = 20_000

_STAND_INS = (*range(0xF0000, 0xFFFFE), *range(0x100000, 0x10FFFE))
_REPLACED = "\ufffd"


def hidden_characters(text: str) -> set[str]:
    """The characters not to be drawn as they are: what `safe` changes, and all marks where they flood."""
    characters = set(text)
    hidden = {
        character for character in characters if character not in "\n\t" and safe(character) != character
    }
    # Hangul vowels and finals are letters, and yet go onto the base before them.
    marks = {
        character
        for character in characters - hidden
        if character not in "\n\t" and not cell_width(character)
    }
    if marks and any(len(run) > MARKS_ON_ONE_BASE for run in _runs_of(marks, text)):
        hidden |= marks
    return hidden


def _runs_of(marks: set[str], text: str) -> list[str]:
    return re.findall(f"[{re.escape(''.join(sorted(marks)))}]+", text)


def _picture(character: str) -> str:
    shown = safe(character)
    return shown if len(shown) == 1 and shown != character else _REPLACED


def _new_stand_ins(characters: set[str], used: set[int]) -> dict[int, int]:
    """Pair each character with a private one that is not used."""
    free = (point for point in _STAND_INS if point not in used)
    return {ord(character): next(free) for character in sorted(characters)}


class TextEditor(TextArea):
    """A TextArea that holds any text to the byte, grows with it, and says when Enter ends it."""

    DEFAULT_CSS = """
    TextEditor {
        height: auto;
        min-height: 1;
        max-height: 6;
        border: none;
        padding: 0;
        background: $surface;
        scrollbar-size-vertical: 1;
        & .text-area--placeholder { color: $text-muted; }
        &:focus { border: none; background: $boost; }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "finish", "Add", show=False, id="editor.finish"),
        Binding("ctrl+j", "line_break", "Line break", show=False, id="editor.line_break"),
    ]

    class _Said(Message):
        """What an editor says of itself."""

        def __init__(self, editor: "TextEditor") -> None:
            super().__init__()
            self.editor = editor

        @property
        def control(self) -> "TextEditor":
            """The editor that sent it."""
            return self.editor

    class Finished(_Said):
        """Enter was pressed."""

    class BigPaste(_Said):
        """A paste that may be more than a text for this field: the pane decides; it is not in the field."""

        def __init__(self, editor: "TextEditor", text: str) -> None:
            super().__init__(editor)
            self.text = text

    def __init__(self, *, id: str, placeholder: str) -> None:
        super().__init__(
            id=id, placeholder=placeholder, soft_wrap=True, tab_behavior="focus", highlight_cursor_line=False
        )
        self._stand_ins: dict[int, int] = {}
        self._whole: str | None = None

    def _restored(self, text: str) -> str:
        back = {stand_in: point for point, stand_in in self._stand_ins.items()}
        return text.translate(back) if back else text

    @property
    def selected_text(self) -> str:
        """What is copied or cut: the text, not its stand-ins."""
        return self._restored(super().selected_text)

    @property
    def value(self) -> str:
        """The text, to the byte."""
        if self._whole is not None:
            return self._whole
        return self._restored(self.text)

    @value.setter
    def value(self, text: str) -> None:
        self._whole = None
        self.read_only = False
        if not fits(text):
            # Held whole and out of the document, whose wrapping would freeze the screen.
            self._whole = text
            self.read_only = True
            text = f"{text[:300]}…\n(long: {len(text):,} characters; ctrl+e edits it)"
        self._stand_ins = _new_stand_ins(hidden_characters(text), set(map(ord, set(text))))
        self.load_text(text.translate(self._stand_ins))
        self.move_cursor(self.document.end)

    @property
    def holds_whole(self) -> bool:
        """Whether the text is too long to be edited here and is kept whole."""
        return self._whole is not None

    def insert_text(self, text: str) -> None:
        """Insert at the cursor what came by paste or from a file."""
        if self.holds_whole or not fits(self.value + text):
            self.value = self.value + text
            return
        result = self._replace_via_keyboard(self._stood_in(text), *self.selection)
        if result:
            self.move_cursor(result.end_location)

    def _stood_in(self, text: str) -> str:
        """The text with what is hidden in it replaced; a stand-in once given stays, for undo may need it."""
        hidden = {one for one in hidden_characters(text) if ord(one) not in self._stand_ins}
        used = {*map(ord, set(text)), *self._stand_ins.values()}
        self._stand_ins |= _new_stand_ins(hidden, used)
        return text.translate(self._stand_ins)

    def edit(self, edit: Edit) -> EditResult:
        """Perform an edit; whoever asks for it, nothing hidden gets into the document."""
        stand_ins = {chr(point) for point in self._stand_ins.values()}
        if hidden_characters(edit.text) - stand_ins:
            edit.text = self._stood_in(edit.text)
        result = super().edit(edit)
        # A terminal without bracketed paste types what is pasted, however long.
        if len(self.document.get_line(result.end_location[0])) > LONGEST_LINE:
            self.value = self.value
        return result

    def get_line(self, line_index: int):  # type: ignore[no-untyped-def]
        """The line as it is drawn: each stand-in as a picture of what it stands for."""
        line = super().get_line(line_index)
        if self._stand_ins:
            line.plain = line.plain.translate(
                {stand_in: _picture(chr(point)) for point, stand_in in self._stand_ins.items()}
            )
        return line

    def _hide_what_came_together(self) -> None:
        """Marks typed one by one may be a flood by now."""
        row, _ = self.cursor_location
        stand_ins = {chr(point) for point in self._stand_ins.values()}
        if hidden_characters(self.document.get_line(row)) - stand_ins:
            place = self.cursor_location
            self.value = self.value
            self.move_cursor(place)

    def scroll_cursor_visible(self, center: bool = False, animate: bool = False) -> Offset:
        """Bring the cursor into view; amid an undo, when its line has gone, that is left for later."""
        if self.cursor_location[0] >= self.document.line_count:
            return Offset(0, 0)
        return super().scroll_cursor_visible(center, animate)

    def action_cut(self) -> None:
        """Cut what is selected, or the line."""
        if self.read_only:
            return
        start, end = self.selection
        cut = self._delete_cursor_line() if start == end else self._delete_via_keyboard(start, end)
        if cut is not None:
            self.app.copy_to_clipboard(self._restored(cut.replaced_text))

    def action_paste(self) -> None:
        """Paste what was copied or cut here."""
        self.insert_text(self.app.clipboard)

    def action_finish(self) -> None:
        """Enter: this text is ready."""
        self.post_message(self.Finished(self))

    def action_line_break(self) -> None:
        """A line break where the cursor is."""
        if not self.read_only:
            self.insert("\n")

    def check_consume_key(self, key: str, character: str | None = None) -> bool:
        """Whether a key writes here, also into a text held whole, so that what waits comes in as one."""
        if self.holds_whole:
            return character is not None and character.isprintable()
        return super().check_consume_key(key, character)

    async def _on_key(self, event: events.Key) -> None:
        # Enter and ctrl+j are bindings here; a TextArea would take them as text.
        if event.key in ("enter", "ctrl+j"):
            event.prevent_default()
        elif event.is_printable and event.character and self.holds_whole:
            event.prevent_default()
            event.stop()
            self.insert_text(event.character)
        elif event.is_printable and event.character and not event.character.isascii() and not self.read_only:
            # A terminal without bracketed paste types what is pasted, hidden characters and all.
            event.prevent_default()
            event.stop()
            self.insert_text(event.character)
            self._hide_what_came_together()

    async def _on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()
        text = event.text.replace("\r\n", "\n").replace("\r", "\n")
        if _may_be_more(text):
            self.post_message(self.BigPaste(self, text))
            return
        self.insert_text(text)


def _may_be_more(text: str) -> bool:
    """Whether a paste may be lines, a batch or a path rather than a text for this field."""
    start = text.lstrip()[:8]
    return "\n" in text.strip("\n") or start.startswith(("{", "[", "curl ", "/", "~", "'", '"', "file:"))


def fits(text: str) -> bool:
    """Whether a text can be edited here without holding the screen up."""
    if len(text) > LONGEST_TEXT or len(set(text)) > MOST_DIFFERENT:
        return False
    return len(text) <= LONGEST_LINE or all(len(line) <= LONGEST_LINE for line in text.split("\n"))
