"""A short choice: a question, the answers, and escape for none of them."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from batchtui.text import one_line, safe
from batchtui.ui.widgets.dialog import DialogBox


class ChoiceScreen(ModalScreen[int | None]):
    """Asks for one of several answers, each a name and a word on it; its result is its place, or None."""

    DEFAULT_CSS = """
    ChoiceScreen {
        align: center middle;
        & OptionList, & OptionList:focus {
            height: auto;
            max-height: 16;
            border: none;
            padding: 0;
            background: $surface;
        }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Leave", id="choice.leave"),
        Binding("j", "move(1)", "Down", show=False, id="choice.down"),
        Binding("k", "move(-1)", "Up", show=False, id="choice.up"),
    ]

    def __init__(self, title: str, question: str, answers: list[tuple[str, str]], chosen: int = 0) -> None:
        super().__init__()
        self._title = title
        self._question = question
        self._answers = answers
        self._chosen = chosen

    def compose(self) -> ComposeResult:
        with DialogBox(self._title):
            if self._question:
                yield Static(Content(safe(self._question)))
            yield OptionList(
                *(
                    Option(Content.assemble((one_line(name, 60), "bold"), "  ", (one_line(more, 100), "dim")))
                    for name, more in self._answers
                )
            )

    def on_mount(self) -> None:
        answers = self.query_one(OptionList)
        answers.highlighted = self._chosen
        answers.focus()

    @on(OptionList.OptionSelected)
    def _selected(self, message: OptionList.OptionSelected) -> None:
        self.dismiss(message.option_index)

    def action_move(self, step: int) -> None:
        """Move like the lists do."""
        answers = self.query_one(OptionList)
        if step > 0:
            answers.action_cursor_down()
        else:
            answers.action_cursor_up()
