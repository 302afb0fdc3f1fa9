"""Text into the clipboard: by the system's tool where there is one, else by asking the terminal (OSC 52)."""

import os
import shutil
import subprocess
import sys
from typing import Any

from textual.app import App

from batchtui.children import child_environment

# So long a tool may take, in seconds; one that can't reach its display may wait for ever.
PATIENCE = 3.0
# Terminals drop longer OSC 52 sequences without a word.
LONGEST_FOR_TERMINAL = 74_000


class ClipboardError(Exception):
    """The text can't be put into any clipboard; says why and what to do."""


def copy(app: App[Any], text: str) -> str:
    """Put `text` into the clipboard, and say where it is now. Raises ClipboardError.

    It blocks, so it is called in a thread beside the screen.
    """
    data = text.encode("utf-8", "replace")
    failures = []
    for command in _tools():
        failure = _failure(command, data)
        if not failure:
            return f"is in the system's clipboard ({command[0]})"
        failures.append(f"{command[0]} {failure}")
    why = "; ".join(failures)
    if len(data) > LONGEST_FOR_TERMINAL:
        raise ClipboardError(
            f"{why or 'There is no clipboard tool here'}, and the text is too long for the terminal's "
            "clipboard: export it to a file."
        )
    app.call_from_thread(app.copy_to_clipboard, data.decode())
    sent = "was sent to the terminal's clipboard (OSC 52), which some terminals ignore"
    return f"{sent}: {why}" if why else sent


def _tools() -> list[list[str]]:
    """The commands that may fill the clipboard, the likeliest first.

    Windows' clip.exe guesses the encoding, and not always well; its terminals take OSC 52.
    """
    commands = [["pbcopy"]] if sys.platform == "darwin" else []
    if os.environ.get("WAYLAND_DISPLAY"):
        # Without a type it looks at the text and may offer it as something else.
        commands.append(["wl-copy", "--type", "text/plain"])
    if os.environ.get("DISPLAY"):
        commands += [["xclip", "-selection", "clipboard"], ["xsel", "--input", "--clipboard"]]
    return [command for command in commands if shutil.which(command[0])]


def _failure(command: list[str], data: bytes) -> str:
    """Have a tool take the text; in words how it failed, or nothing.

    It may stay and serve the clipboard when this program has ended: it gets no secret and no terminal.
    """
    try:
        status = subprocess.run(
            command,
            input=data,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=child_environment(os.environ),
            timeout=PATIENCE,
            start_new_session=True,
            check=False,
        ).returncode
    except subprocess.TimeoutExpired:
        return "does not answer"
    except OSError as error:
        return f"can't be run ({error.strerror})"
    return f"ended with status {status}" if status else ""
