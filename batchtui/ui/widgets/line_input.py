"""A one-line field that takes in only what a terminal may show."""

from textual import events
from textual.widgets import Input

from batchtui.text import one_line


class LineInput(Input):
    """An Input whose pastes and values are one safe line; for names, paths and search words."""

    DEFAULT_CSS = """
    LineInput, LineInput:focus { border: none; height: 1; padding: 0; background: $boost; }
    """

    def __init__(self, value: str = "", *, id: str, placeholder: str = "") -> None:
        super().__init__(one_line(value), id=id, placeholder=placeholder, compact=True)

    def _on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()
        self.insert_text_at_cursor(one_line(event.text, 4000))
