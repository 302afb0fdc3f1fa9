"""How far something long has come, with escape to stop it."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.widgets import ProgressBar

from batchtui.ui.widgets.dialog import DialogBox


class ProgressScreen(ModalScreen[None]):
    """A bar; `stopped` is true once the person pressed escape."""

    DEFAULT_CSS = "ProgressScreen { align: center middle; }"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "stop", "Stop", id="progress.stop")]

    def __init__(self, title: str) -> None:
        super().__init__()
        self._title = title
        self.stopped = False
        self._done = 0
        self._of = 1

    def compose(self) -> ComposeResult:
        with DialogBox(self._title, "escape stops"):
            yield ProgressBar(total=1, show_eta=False)

    def on_mount(self) -> None:
        self.set_interval(0.1, self._draw)

    def tell(self, done: int, of: int) -> None:
        """Say how far it has come; from any thread."""
        self._done, self._of = done, of

    def _draw(self) -> None:
        self.query_one(ProgressBar).update(total=self._of, progress=self._done)

    def action_stop(self) -> None:
        """Stop it and leave."""
        self.stopped = True
        self.dismiss(None)

    def end(self) -> None:
        """Leave, as it is done."""
        if self.is_active and not self.stopped:
            self.dismiss(None)
