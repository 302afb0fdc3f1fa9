"""A read-only text of any length: wrapped when it is set, drawn only where it is seen."""

import re
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from batchtui.text import cell_width, safe
from batchtui.ui.widgets.scrolling import set_virtual_size

# Beyond this the rest is left out of the view (never of what is stored), and the view says so.
SHOWN_CHARACTERS = 200_000


class TextView(ScrollView, can_focus=True):
    """Shows text wrapped at its width, with given words marked."""

    DEFAULT_CSS = """
    TextView {
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-size-vertical: 1;
        & > .text-view--mark { text-style: bold; color: $text-accent; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"text-view--mark"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll_up", "Up", show=False, id="text.up"),
        Binding("down,j", "scroll_down", "Down", show=False, id="text.down"),
        Binding("pageup", "page_up", "Page up", show=False, id="text.page_up"),
        Binding("pagedown", "page_down", "Page down", show=False, id="text.page_down"),
        Binding("g,home", "scroll_home", "Top", show=False, id="text.top"),
        Binding("G,end", "scroll_end", "End", show=False, id="text.end"),
    ]

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._text = ""
        self._mark: re.Pattern[str] | None = None
        self._lines: list[str] = []

    def show(self, text: str, marked_words: tuple[str, ...] = ()) -> None:
        """Show a text from its beginning, made safe for a terminal."""
        cut = len(text) - SHOWN_CHARACTERS
        shown = safe(text[:SHOWN_CHARACTERS])
        self._text = shown if cut <= 0 else f"{shown}\n… {cut:,} more characters are not shown here"
        words = "|".join(re.escape(word) for word in marked_words)
        self._mark = re.compile(rf"(?<!\w)(?:{words})(?!\w)", re.IGNORECASE) if words else None
        self._wrap()
        self.scroll_home(animate=False, immediate=True)

    def on_resize(self) -> None:
        """Wrap anew at the new width."""
        self._wrap()

    def _wrap(self) -> None:
        width = max(self.scrollable_content_region.width, 1)
        self._lines = [row for line in self._text.split("\n") for row in wrap_line(line, width)]
        set_virtual_size(self, Size(width, len(self._lines)))
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """One line of the screen (the Line API)."""
        width = self.scrollable_content_region.width
        index = y + self.scroll_offset.y
        if index >= len(self._lines):
            return Strip.blank(width, self.rich_style)
        content = Content(self._lines[index])
        if self._mark:
            style = self.get_visual_style("text-view--mark", partial=True)
            for found in self._mark.finditer(self._lines[index]):
                content = content.stylize(style, found.start(), found.end())
        return Strip(content.render_segments(self.visual_style)).adjust_cell_length(width, self.rich_style)


def wrap_line(line: str, width: int) -> list[str]:
    """Break one line at spaces so that each row fits `width` cells; a longer word is cut."""
    if cell_width(line) <= width:
        return [line]
    rows: list[str] = []
    row: list[str] = []
    room = width
    for word in re.findall(r"\s+|\S+", line):
        needed = cell_width(word)
        if needed > room and not word.isspace() and row:
            rows.append("".join(row).rstrip())
            row, room = [], width
        if needed > width:
            for character in word:
                size = cell_width(character)
                if size > room:
                    rows.append("".join(row))
                    row, room = [], width
                row.append(character)
                room -= size
            continue
        if needed > room:
            continue
        row.append(word)
        room -= needed
    return [*rows, "".join(row)] if row or not rows else rows
