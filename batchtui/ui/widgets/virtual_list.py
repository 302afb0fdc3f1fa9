"""A list that draws only the rows in view, so ten rows and a hundred thousand cost the same a key."""

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from batchtui.ui.widgets.scrolling import set_virtual_size


class VirtualList(ScrollView, can_focus=True):
    """Rows of one line each, with a cursor; a subclass says what a row shows in `row_content`."""

    DEFAULT_CSS = """
    VirtualList {
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-size-vertical: 1;
        & > .list--cursor { background: $primary 25%; }
        & > .list--muted { color: $text-muted; }
        & > .list--empty { color: $text-muted; }
        &:focus > .list--cursor { background: $primary 60%; text-style: bold; }
    }
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {"list--cursor", "list--muted", "list--empty"}

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False, id="list.up"),
        Binding("down,j", "move(1)", "Down", show=False, id="list.down"),
        Binding("pageup", "page(-1)", "Page up", show=False, id="list.page_up"),
        Binding("pagedown", "page(1)", "Page down", show=False, id="list.page_down"),
        Binding("g,home", "first", "First", show=False, id="list.first"),
        Binding("G,end", "last", "Last", show=False, id="list.last"),
        Binding("enter", "choose", "Open", show=False, id="list.choose"),
    ]

    cursor: reactive[int] = reactive(0, repaint=False)

    class Highlighted(Message):
        """The cursor came to rest on a row."""

        def __init__(self, sender: "VirtualList", index: int) -> None:
            super().__init__()
            self.sender = sender
            self.index = index

        @property
        def control(self) -> "VirtualList":
            """The list that sent it."""
            return self.sender

    class Chosen(Highlighted):
        """Enter or a click on a row."""

    def __init__(self, *, id: str | None = None, empty: str = "") -> None:
        super().__init__(id=id)
        self.empty = empty
        self.row_count = 0

    def row_content(self, index: int, width: int) -> Content:
        """One row, at most `width` cells wide."""
        raise NotImplementedError

    def set_row_count(self, count: int) -> None:
        """Say how many rows there are; the cursor stays where it can."""
        self.row_count = count
        set_virtual_size(self, Size(self.scrollable_content_region.width, count))
        held = min(self.cursor, max(count - 1, 0))
        if held != self.cursor:
            self.cursor = held
        self.refresh()

    def move_cursor(self, index: int) -> None:
        """Put the cursor on a row, clamped to the rows there are, and bring it into view."""
        if not self.row_count:
            return
        self.cursor = max(0, min(index, self.row_count - 1))
        self.scroll_to_region(Region(0, self.cursor, 1, 1), animate=False, force=True)

    def validate_cursor(self, cursor: int) -> int:
        """Keep the cursor on a row."""
        return max(0, min(cursor, max(self.row_count - 1, 0)))

    def watch_cursor(self, before: int, after: int) -> None:
        """Draw the two rows that changed and say where the cursor is."""
        self.refresh_line(before)
        self.refresh_line(after)
        self.post_message(self.Highlighted(self, after))

    def render_line(self, y: int) -> Strip:
        """One line of the screen (the Line API)."""
        width = self.scrollable_content_region.width
        index = y + self.scroll_offset.y
        if index >= self.row_count:
            if index or not self.empty:
                return Strip.blank(width, self.rich_style)
            hint = Content.styled(self.empty, self.get_visual_style("list--empty")).truncate(width)
            return Strip(hint.render_segments(self.visual_style)).adjust_cell_length(width, self.rich_style)
        style = self.visual_style
        if index == self.cursor:
            style = style + self.get_visual_style("list--cursor", partial=True)
        strip = Strip(self.row_content(index, width).render_segments(style))
        return strip.adjust_cell_length(width, style.rich_style)

    def on_resize(self) -> None:
        """Keep the cursor in view when the list gets another height."""
        set_virtual_size(self, Size(self.scrollable_content_region.width, self.row_count))
        if self.row_count:
            self.scroll_to_region(Region(0, self.cursor, 1, 1), animate=False, force=True)

    def action_move(self, rows: int) -> None:
        """Move the cursor by rows."""
        self.move_cursor(self.cursor + rows)

    def action_page(self, pages: int) -> None:
        """Move the cursor by what is seen at once."""
        self.move_cursor(self.cursor + pages * max(self.scrollable_content_region.height - 1, 1))

    def action_first(self) -> None:
        """Go to the first row."""
        self.move_cursor(0)

    def action_last(self) -> None:
        """Go to the last row."""
        self.move_cursor(self.row_count - 1)

    def action_choose(self) -> None:
        """Choose the row under the cursor."""
        if self.row_count:
            self.post_message(self.Chosen(self, self.cursor))

    def on_click(self, event: events.Click) -> None:
        """A click moves the cursor; a second one chooses."""
        index = event.y + self.scroll_offset.y
        if index >= self.row_count:
            return
        self.move_cursor(index)
        if event.chain > 1:
            self.post_message(self.Chosen(self, index))
