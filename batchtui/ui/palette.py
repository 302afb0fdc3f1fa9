"""The command palette and the words on keys, with nothing in them that a terminal obeys."""

from textual.app import ComposeResult
from textual.binding import Binding
from textual.command import CommandInput, CommandPalette
from textual.theme import ThemeProvider

from batchtui.text import one_line
from batchtui.ui.telling_app import TellingApp
from batchtui.ui.widgets.line_input import SafeInput

LONGEST_KEY = 20


class SafeCommandInput(CommandInput, SafeInput):
    """The palette's field, safe as every other; Textual looks for styles at the first base alone."""


class SafeCommandPalette(CommandPalette):
    """Textual's palette with a field of ours in it."""

    def compose(self) -> ComposeResult:
        for widget in super().compose():
            if isinstance(widget, CommandInput):
                yield SafeCommandInput(placeholder=self._placeholder, select_on_focus=False)
            else:
                yield widget


class PaletteApp(TellingApp):
    """Opens the palette, and says what keys are called."""

    def action_command_palette(self) -> None:
        """Show all that can be done."""
        if not isinstance(self.screen, CommandPalette):
            self.push_screen(SafeCommandPalette(id="--command-palette"))

    def search_themes(self) -> None:
        """Show all themes."""
        self.push_screen(SafeCommandPalette(providers=[ThemeProvider], placeholder="Search for themes…"))

    def get_key_display(self, binding: Binding) -> str:
        """A key as the footer and the help name it, short and safe."""
        return one_line(super().get_key_display(binding), LONGEST_KEY)
