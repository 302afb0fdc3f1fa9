"""A text to look at: help, a raw answer."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from batchtui.ui.widgets.dialog import DialogBox
from batchtui.ui.widgets.text_view import TextView


class TextScreen(ModalScreen[None]):
    """Shows one text of any length, until escape."""

    DEFAULT_CSS = """
    TextScreen { align: center middle; & TextView { height: 1fr; } }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,f1,question_mark", "dismiss(None)", "Leave", id="text.leave")
    ]

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self._title = title
        self._text = text

    def compose(self) -> ComposeResult:
        with DialogBox(self._title, "↑ ↓ scroll · escape leaves", large=True):
            yield TextView(id="shown-text")

    def on_mount(self) -> None:
        view = self.query_one(TextView)
        view.show(self._text)
        view.focus()
