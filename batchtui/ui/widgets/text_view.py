"""A read-only text of any length: wrapped when it is set, drawn only where it is seen."""

import re
from functools import lru_cache
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from batchtui.text import cell_width, safe
from batchtui.ui.widgets.scrolling import set_virtual_size

# Beyond this the rest is left out of the view (never of what is stored), and the view says so.
SHOWN_CHARACTERS = 100_000
_WORDS = re.compile(r"\s+|\S+")
_JOINED = "(?:[\ufe0f\U0001f3fb-\U0001f3ff]|\u200d.)"
# Runs in which every character takes as many cells; all else is counted piece by piece.
_NARROW = " -~\u00a1-\u00ac\u00ae-\u02ff\u0400-\u0482\u048a-\u052f‹›\u2400-\u2426"
_WIDE = (
    "\u3001\u3002\u3008-\u3011\u3041-\u3096\u30a1-\u30fa\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uff01-\uff60"
)
_SIZES = {"narrow": 1, "wide": 2}
_PIECES = re.compile(
    f".{_JOINED}+|(?P<narrow>[{_NARROW}]+)(?!{_JOINED})|(?P<wide>[{_WIDE}]+)(?!{_JOINED})|.", re.DOTALL
)


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
    """Break one safe line at spaces so that each row fits `width` cells; a longer word is cut.

    What counts together, as an emoji of several characters, is not taken apart.
    """
    if _cells(line, width) <= width:
        return [line]
    rows = _Rows(width)
    for word in _WORDS.findall(line):
        needed = _cells(word, width)
        if needed > rows.room and not word.isspace():
            rows.begin_another(rstrip=True)
        if needed > width:
            _cut_word(word, rows)
        elif needed <= rows.room:
            rows.add(word, needed)
    rows.begin_another()
    return rows.full


class _Rows:
    """Rows that are full, and one that is being filled."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.full: list[str] = []
        self.room = width
        self._row: list[str] = []

    def add(self, text: str, cells: int) -> None:
        self._row.append(text)
        self.room -= cells

    def begin_another(self, *, rstrip: bool = False) -> None:
        """Begin a row, unless this one is empty."""
        if self._row:
            row = "".join(self._row)
            self.full.append(row.rstrip() if rstrip else row)
            self._row, self.room = [], self.width


def _cut_word(word: str, rows: _Rows) -> None:
    for match in _PIECES.finditer(word):
        piece, size = match.group(), _SIZES.get(match.lastgroup or "")
        if size is None:
            cells = _cells_of_piece(piece)
            if cells > rows.room:
                rows.begin_another()
            rows.add(piece, cells)
            continue
        place = 0
        while place < len(piece):
            if size > rows.room:
                rows.begin_another()
            end = place + max(rows.room // size, 1)
            rows.add(piece[place:end], size * (min(end, len(piece)) - place))
            place = end


_cells_of_piece = lru_cache(maxsize=4096)(cell_width)


def _cells(text: str, width: int) -> int:
    """How many cells a text takes, or more than `width`: marks are few on each, so what is long is wide."""
    return cell_width(text) if len(text) <= 16 * width else width + 1
