"""A question answered by one line."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from batchtui.text import one_line, safe
from batchtui.ui.widgets.dialog import DialogBox
from batchtui.ui.widgets.line_input import LineInput

NOT_AS_IT_IS = Content(
    "It can't be shown as it is. Unchanged it stays to the byte; changed, what is seen takes its place."
)


class PromptScreen(ModalScreen[str | None]):
    """Asks for one line of text; its result is the line, or None.

    A value that is not changed comes back to the byte, also where the field shows its pictures.
    """

    DEFAULT_CSS = "PromptScreen { align: center middle; }"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Leave", id="prompt.leave")]

    def __init__(self, title: str, question: str = "", value: str = "") -> None:
        super().__init__()
        self._title = title
        self._question = question
        self._value = value

    def compose(self) -> ComposeResult:
        with DialogBox(self._title):
            if self._question:
                yield Static(Content(safe(self._question)))
            if one_line(self._value) != self._value:
                yield Static(NOT_AS_IT_IS)
            yield LineInput(self._value, id="answer")

    @on(Input.Submitted)
    def _answered(self, message: Input.Submitted) -> None:
        unchanged = message.value == one_line(self._value)
        self.dismiss(self._value if unchanged else message.value.strip())
