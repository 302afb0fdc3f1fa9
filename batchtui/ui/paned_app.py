"""Three panes side by side where there is room, one at a time with tabs where there is not."""

from pathlib import Path

from textual import events, on
from textual.content import Content
from textual.widgets import Footer, Static, Tabs

from batchtui.ui.palette import PaletteApp

PANES = ("jobs", "compose", "results")
FIRST_FIELDS = {"jobs": "#job-list", "compose": "#query", "results": "#ranking"}
# Columns and rows below which nothing useful can be shown, and columns from which all panes are seen.
SMALLEST = (60, 16)
WIDE = 120
THREE_COLUMNS = 180


class PanedApp(PaletteApp):
    """Knows which pane is in front; the panes have their names as ids, the tabs are `#pane-tabs`."""

    HORIZONTAL_BREAKPOINTS = [
        (0, "-tiny"),
        (SMALLEST[0], "-narrow"),
        (WIDE, "-wide"),
        (THREE_COLUMNS, "-full"),
    ]
    VERTICAL_BREAKPOINTS = [(0, "-short"), (SMALLEST[1], "-high")]

    def __init__(self, log_file: Path) -> None:
        super().__init__(log_file)
        self.pane = "compose"

    @property
    def narrow(self) -> bool:
        """Whether one pane is shown at a time."""
        return self.size.width < WIDE

    def show_pane(self, name: str) -> None:
        """Bring a pane to the front where one is shown at a time."""
        self.pane = name
        for pane in PANES:
            self.query_one(f"#{pane}").set_class(pane == name, "-shown")
        tabs = self.query_one("#pane-tabs", Tabs)
        if tabs.active != f"tab-{name}":
            tabs.active = f"tab-{name}"

    def action_focus_pane(self, name: str) -> None:
        """Go to a pane."""
        self.show_pane(name)
        self.query_one(FIRST_FIELDS[name]).focus()

    @on(Tabs.TabActivated, "#pane-tabs")
    def _tab_activated(self, message: Tabs.TabActivated) -> None:
        name = (message.tab.id or "").removeprefix("tab-")
        if name != self.pane:
            self.action_focus_pane(name)

    def on_descendant_focus(self) -> None:
        """The pane that has the focus is the one shown."""
        for pane in PANES:
            if self.query_one(f"#{pane}").has_focus_within and pane != self.pane:
                self.show_pane(pane)

    def on_resize(self, event: events.Resize) -> None:
        """Say what is needed where the terminal is too small; keep the footer short where it is narrow."""
        self.query_one(Footer).compact = event.size.width < WIDE
        width, height = SMALLEST
        self.query_one("#too-small", Static).update(
            Content(
                f"This terminal has {event.size.width}×{event.size.height} cells, "
                f"and batchtui needs {width}×{height}. "
                "Make it larger; all that you typed is kept."
            )
        )
