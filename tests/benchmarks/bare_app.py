"""A bare Textual app with the widgets of batchtui and no work: what the first paint is held against."""

from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Vertical
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Footer, Input, Label, Static, Tab, Tabs, TextArea


class Lines(ScrollView, can_focus=True):
    """An empty list that draws line by line."""

    DEFAULT_CSS = "Lines { height: 1fr; scrollbar-size-vertical: 1; }"

    def on_mount(self) -> None:
        self.virtual_size = Size(10, 10)

    def render_line(self, y: int) -> Strip:
        """A blank line."""
        return Strip.blank(self.size.width, self.rich_style)


class Heading(Widget):
    """The line on top."""

    DEFAULT_CSS = "Heading { dock: top; height: 1; }"

    def render(self) -> str:
        """A few words."""
        return "bare"


class BareApp(App[None]):
    """Three panes of the same widgets, with as many bindings in the footer."""

    CSS = """
    #panes { height: 1fr; layout: grid; grid-size: 2 2; grid-columns: 1fr 1fr; grid-rows: 3fr 2fr; }
    #compose, #jobs, #results { border: round $foreground 30%; padding: 0 1; }
    #results { row-span: 2; }
    #tabs { display: none; }
    #too-small { display: none; }
    TextArea { height: 1; border: none; padding: 0; }
    Input { display: none; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        (f"f{number}", "quit", name)
        for number, name in enumerate(("Submit", "New", "Open", "Model", "Help", "Drafts", "Jobs"), 1)
    ]

    def compose(self) -> ComposeResult:
        yield Heading()
        yield Tabs(Tab("Jobs"), Tab("Compose"), Tab("Results"), id="tabs")
        with Container(id="panes"):
            with Vertical(id="compose") as pane:
                pane.border_title = "Compose"
                yield Label("Query")
                yield TextArea(id="query", soft_wrap=True)
                yield Label("Contexts")
                yield Lines()
                yield TextArea(id="editor", soft_wrap=True)
                yield Static("0 requests")
            with Vertical(id="results"):
                yield Static("Nothing to show yet")
                yield Static("#")
                yield Lines()
                yield Static("")
                yield Lines()
            with Vertical(id="jobs"):
                yield Input()
                yield Lines()
        yield Static(id="too-small")
        yield Footer()

    def on_mount(self) -> None:
        self.query_one("#query").focus()


if __name__ == "__main__":
    BareApp().run()
