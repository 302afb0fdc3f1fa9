"""A one-line field that takes in only what a terminal may show."""

import re

from rich.segment import Segment
from textual import events
from textual.strip import Strip
from textual.widgets import Input

from batchtui.text import one_line, safe

LONGEST_PASTE = 4000
# Where a text is cut, what is left of characters that belong together: their ends and their joiners.
_LOOSE = re.compile("(?<= )[\u200c\u200d\ufe0e\ufe0f\u20e3\U0001f3fb-\U0001f3ff]+|[\u200c\u200d]+(?= |$)")


class SafeInput(Input):
    """An Input whose every value is one safe line, however it came in."""

    def validate_value(self, value: str) -> str:
        """The value as it may be shown, also where it was typed character by character."""
        shown = safe(value)
        return value if shown == value else one_line(value)

    def render_line(self, y: int) -> Strip:
        """One line of the screen; where the text scrolls, nothing is left of what was cut in two."""
        strip = super().render_line(y).crop(0, self.size.width)
        before, shown = " ", []
        for text, style, control in strip:
            whole = _LOOSE.sub("", before + text)[1:]
            shown.append(Segment(whole, style, control))
            before = whole[-1:] or before
        # None of these characters is counted as a cell.
        return Strip(shown, strip.cell_length)

    def action_paste(self) -> None:
        """Paste what was copied or cut here."""
        self._take_in(self.app.clipboard)

    def _on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()
        # A terminal pastes line ends as the Enter key sends them.
        self._take_in(event.text.replace("\r", "\n"))

    def _take_in(self, text: str) -> None:
        self.replace(one_line(text, LONGEST_PASTE), *self.selection)


class LineInput(SafeInput):
    """A field for names, paths and search words."""

    DEFAULT_CSS = """
    LineInput, LineInput:focus { border: none; height: 1; padding: 0; background: $boost; }
    """

    def __init__(self, value: str = "", *, id: str, placeholder: str = "") -> None:
        super().__init__(one_line(value), id=id, placeholder=placeholder, compact=True)
