"""A one-line field that takes in only what a terminal may show."""

from textual import events
from textual.widgets import Input

from batchtui.text import one_line, safe


class LineInput(Input):
    """An Input whose pastes and values are one safe line; for names, paths and search words."""

    DEFAULT_CSS = """
    LineInput, LineInput:focus { border: none; height: 1; padding: 0; background: $boost; }
    """

    def __init__(self, value: str = "", *, id: str, placeholder: str = "") -> None:
        super().__init__(one_line(value), id=id, placeholder=placeholder, compact=True)

    def validate_value(self, value: str) -> str:
        """The value as it may be shown, also where it was typed character by character."""
        shown = safe(value)
        return value if shown == value else one_line(value)

    def _on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()
        self.insert_text_at_cursor(one_line(event.text, 4000))
