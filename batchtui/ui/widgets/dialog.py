"""The box that every dialog stands in."""

from textual.containers import Vertical
from textual.content import Content

from batchtui.text import one_line


class DialogBox(Vertical):
    """A bordered box in the middle of the screen, with a title above and its keys below."""

    DEFAULT_CSS = """
    DialogBox {
        width: 76;
        max-width: 96%;
        height: auto;
        max-height: 92%;
        border: round $border;
        border-title-style: bold;
        border-subtitle-color: $text-muted;
        padding: 0 1;
        background: $surface;
        & > Static { height: auto; max-height: 8; }
        & > .dialog--large { height: 1fr; }
    }
    DialogBox.-large { width: 96%; height: 92%; }
    """

    def __init__(self, title: str, keys: str = "Enter takes · escape leaves", *, large: bool = False) -> None:
        super().__init__(classes="-large" if large else None)
        self.border_title = Content(one_line(title, 70))
        self.border_subtitle = Content(keys)
