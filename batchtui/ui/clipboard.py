"""Text into the clipboard: by the system's tool where there is one, else by asking the terminal (OSC 52)."""

from textual.app import App

# Terminals drop longer OSC 52 sequences without a word.
LONGEST_FOR_TERMINAL = 74_000


class ClipboardError(Exception):
    """The text can't be put into any clipboard; says why and what to do."""


def copy(app: App[None], text: str) -> str:
    """Put `text` into the clipboard, and return in words which way it went. Raises ClipboardError."""
    import pyperclip

    try:
        pyperclip.copy(text)
    except (pyperclip.PyperclipException, OSError, UnicodeError):
        if len(text.encode("utf-8", "replace")) > LONGEST_FOR_TERMINAL:
            raise ClipboardError(
                "There is no clipboard tool here, and the text is too long for the terminal's: "
                "export it to a file."
            ) from None
        app.copy_to_clipboard(text)
        return "sent to the terminal's clipboard (OSC 52)"
    return "in the system's clipboard"
