"""The file picker: a path typed or pasted, or a file picked from a directory."""

import os
import stat
from pathlib import Path
from typing import ClassVar

import msgspec
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from batchtui.figures import size
from batchtui.files import expanded
from batchtui.text import fit, one_line
from batchtui.ui.widgets.dialog import DialogBox
from batchtui.ui.widgets.line_input import LineInput
from batchtui.ui.widgets.virtual_list import VirtualList


class Entry(msgspec.Struct, frozen=True):
    """A file or a directory, as the picker lists it."""

    path: Path
    directory: bool
    bytes: int


def entries_of(directory: Path) -> list[Entry]:
    """Directories first, then plain files, by name, hidden ones left out. Raises OSError."""
    found = []
    with os.scandir(directory) as scanned:
        for item in scanned:
            try:
                status = item.stat()
            except OSError:
                continue
            if item.name.startswith(".") or not (
                stat.S_ISDIR(status.st_mode) or stat.S_ISREG(status.st_mode)
            ):
                continue
            found.append(Entry(Path(item.path), stat.S_ISDIR(status.st_mode), status.st_size))
    found.sort(key=lambda entry: (not entry.directory, entry.path.name.lower()))
    return [Entry(directory.parent, True, 0), *found]


class FileList(VirtualList):
    """What a directory holds."""

    def __init__(self) -> None:
        super().__init__(id="files", empty="Nothing here")
        self.entries: list[Entry] = []
        self.directory = Path()

    def show(self, directory: Path) -> None:
        """List a directory. Raises OSError."""
        self.entries = entries_of(directory)
        self.directory = directory
        self.set_row_count(len(self.entries))
        self.move_cursor(0)

    def row_content(self, index: int, width: int) -> Content:
        """A name, and a file's size."""
        entry = self.entries[index]
        name = ".." if index == 0 else one_line(entry.path.name, width)
        if entry.directory:
            return Content.styled(fit(f"{name}/", width), "$text-accent")
        end = size(entry.bytes)
        return Content.assemble(fit(name, max(width - len(end) - 1, 1)), " ", (end, "dim"))


class OpenScreen(ModalScreen[Path | None]):
    """Asks for a file; its result is the path, or None."""

    DEFAULT_CSS = """
    OpenScreen { align: center middle; & #files { height: 1fr; } & #open-trouble { color: $text-error; } }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Leave", id="open.leave")]

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self._directory = directory

    def compose(self) -> ComposeResult:
        with DialogBox("Open a batch", "Enter opens · tab to the list · escape leaves", large=True):
            yield LineInput(id="path", placeholder="path of a JSON, JSONL, CSV, TSV or text file")
            yield Static(id="open-trouble")
            yield FileList()

    def on_mount(self) -> None:
        self._list(self._directory)

    def _list(self, directory: Path) -> None:
        try:
            self.query_one(FileList).show(directory)
        except OSError as error:
            self._complain(f"{one_line(str(directory), 200)} can't be listed: {error.strerror}")
        else:
            self._complain("")
            self.query_one(DialogBox).border_subtitle = Content(one_line(str(directory), 70))

    def _complain(self, text: str) -> None:
        self.query_one("#open-trouble", Static).update(Content(text))

    @on(Input.Submitted, "#path")
    def _typed(self, message: Input.Submitted) -> None:
        message.stop()
        given = message.value.strip()
        try:
            path = self.query_one(FileList).directory / expanded(given)
        except OSError as error:
            self._complain(f"{one_line(given, 200)} can't be opened: {error.strerror}")
            return
        try:
            is_directory = path.is_dir()
        except (OSError, ValueError):
            is_directory = False
        if is_directory:
            self._list(path)
        elif given:
            self.dismiss(path)

    @on(VirtualList.Chosen, "#files")
    def _chosen(self, message: VirtualList.Chosen) -> None:
        message.stop()
        entry = self.query_one(FileList).entries[message.index]
        if entry.directory:
            self._list(entry.path)
        else:
            self.dismiss(entry.path)

    @on(VirtualList.Highlighted, "#files")
    def _highlighted(self, message: VirtualList.Highlighted) -> None:
        message.stop()
