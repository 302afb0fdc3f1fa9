"""A question answered by one line."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from batchtui.text import one_line, safe
from batchtui.ui.widgets.line_input import LineInput


class PromptScreen(ModalScreen[str | None]):
    """Asks for one line of text; its result is the line, or None."""

    DEFAULT_CSS = """
    PromptScreen {
        align: center middle;
        & > Vertical {
            width: 72;
            max-width: 95%;
            height: auto;
            border: round $border;
            border-title-style: bold;
            padding: 0 1;
            background: $surface;
        }
        & Static { height: auto; max-height: 8; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Leave", id="prompt.leave")]

    def __init__(self, title: str, question: str = "", value: str = "") -> None:
        super().__init__()
        self._title = title
        self._question = question
        self._value = value

    def compose(self) -> ComposeResult:
        with Vertical() as box:
            box.border_title = Content(one_line(self._title, 60))
            box.border_subtitle = Content("Enter takes · escape leaves")
            if self._question:
                yield Static(Content(safe(self._question)))
            yield LineInput(self._value, id="answer")

    @on(Input.Submitted)
    def _answered(self, message: Input.Submitted) -> None:
        self.dismiss(message.value)
