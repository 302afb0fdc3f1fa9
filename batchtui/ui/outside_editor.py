"""A text edited in $VISUAL or $EDITOR, in a file that only this user can read, removed after it."""

import os
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

from textual.app import App, SuspendNotSupported

SECRET_NAMES = ("CLOUDFLARE_API_TOKEN",)


class EditorError(Exception):
    """The text was not edited; says why and what to do."""


def edit_outside(app: App[None], text: str) -> str:
    """The text as the editor left it; blocks, with the app out of the way. Raises EditorError."""
    command = os.environ.get("VISUAL") or os.environ.get("EDITOR") or ""
    try:
        words = shlex.split(command)
    except ValueError:
        raise EditorError(f"$EDITOR is not a command: {command}") from None
    if not words:
        raise EditorError("No editor is set: set $VISUAL or $EDITOR, for example EDITOR=nano.")
    # A directory of its own, so that an editor's backups are private and go with it.
    directory = Path(tempfile.mkdtemp(prefix="batchtui-"))
    path = directory / "text.txt"
    try:
        path.touch(mode=0o600)
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        environment = {key: value for key, value in os.environ.items() if key not in SECRET_NAMES}
        with app.suspend():
            status = subprocess.run([*words, str(path)], env=environment, check=False).returncode
        if status:
            raise EditorError(f"{words[0]} ended with status {status}, so what it wrote was not taken.")
        edited = path.read_bytes().decode("utf-8", "surrogatepass")
    except SuspendNotSupported:
        raise EditorError("This terminal can't make room for another program.") from None
    except UnicodeDecodeError:
        raise EditorError("The file came back in another encoding: save it as UTF-8.") from None
    except OSError as error:
        raise EditorError(f"{words[0]} can't be run: {error.strerror}. Set $EDITOR to your editor.") from None
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    # Editors end the last line; that line break is not the person's.
    return edited.removesuffix("\n") if not text.endswith("\n") else edited
