"""A text edited in $VISUAL or $EDITOR, in a file that only this user can read, removed after it."""

import os
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from textual.app import App, SuspendNotSupported

from batchtui.children import child_environment
from batchtui.exchange.opening import open_path
from batchtui.exchange.source import InputError


class EditorError(Exception):
    """The text was not edited; says why and what to do."""


def edit_outside(app: App[Any], text: str) -> str:
    """The text as the editor left it; blocks, with the app out of the way. Raises EditorError."""
    command = os.environ.get("VISUAL") or os.environ.get("EDITOR") or ""
    try:
        words = shlex.split(command)
    except ValueError:
        raise EditorError(f"$EDITOR is not a command: {command}") from None
    if not words:
        raise EditorError("No editor is set: set $VISUAL or $EDITOR, for example EDITOR=nano.")
    try:
        # A directory of its own, so that an editor's backups are private and go with it.
        with tempfile.TemporaryDirectory(prefix="batchtui-", ignore_cleanup_errors=True) as directory:
            path = Path(directory) / "text.txt"
            path.touch(mode=0o600)
            path.write_bytes(text.encode("utf-8", "surrogatepass"))
            # Whatever is raised in there would keep the app from coming back to the screen.
            with app.suspend():
                trouble = _run([*words, str(path)])
            if trouble:
                raise EditorError(trouble)
            edited = open_path(path).decode("utf-8", "surrogatepass")
    except SuspendNotSupported:
        raise EditorError("This terminal can't make room for another program.") from None
    except UnicodeDecodeError:
        raise EditorError("The file came back in another encoding: save it as UTF-8.") from None
    except InputError as error:
        raise EditorError(f"What {words[0]} left can't be read: {error.thing}.") from None
    except OSError as error:
        raise EditorError(f"The text can't be put into a file: {error.strerror}. Check $TMPDIR.") from None
    # Editors end the last line; that line break is not the person's.
    return edited.removesuffix("\n") if not text.endswith("\n") else edited


def _run(command: list[str]) -> str:
    """Run the editor to its end; in words what went wrong, or nothing."""
    try:
        with _keys_for_it_alone() as restore:
            status = subprocess.run(
                command, env=child_environment(os.environ), preexec_fn=restore, check=False
            ).returncode
    except OSError as error:
        return f"{command[0]} can't be run: {error.strerror}. Set $EDITOR to your editor."
    return f"{command[0]} ended with status {status}, so what it wrote was not taken." if status else ""


@contextmanager
def _keys_for_it_alone() -> Iterator[Callable[[], None] | None]:
    """Ctrl+c and ctrl+\\ of a program that runs in the terminal do not reach the app as well, as in a shell.

    Gives what the program has to call before it starts, which would ignore them too.
    """
    if sys.platform == "win32":
        yield None
        return
    handlers = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGQUIT)}

    def restore() -> None:
        for number in handlers:
            signal.signal(number, signal.SIG_DFL)

    try:
        yield restore
    finally:
        for number, handler in handlers.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
            # As asyncio has it: a signal does not break off what the system is doing.
            signal.siginterrupt(number, False)
