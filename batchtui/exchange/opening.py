"""Files and streams opened: what is no plain file never blocks, what is too large is never kept."""

import os
import shlex
import stat
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

from batchtui.exchange.reading import Opened, read_batches
from batchtui.exchange.source import InputError, Limits, ReadingCancelledError
from batchtui.text import one_line

_CHUNK = 1024 * 1024
_LONGEST_PATH = 4096
_KINDS: tuple[tuple[Callable[[int], bool], str], ...] = (
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def read_file(
    path: Path | str,
    *,
    limits: Limits = Limits(),  # noqa: B008 - it is frozen
    on_progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Opened:
    """Open and read a file; InputError where it is missing, special, forbidden, too large or unreadable."""
    data = open_path(path, limits=limits, cancelled=cancelled)
    return read_batches(data, name=str(path), limits=limits, on_progress=on_progress, cancelled=cancelled)


def open_path(
    path: Path | str,
    *,
    limits: Limits = Limits(),  # noqa: B008 - it is frozen
    cancelled: Callable[[], bool] | None = None,
) -> bytes:
    """The bytes of a plain file, `~` expanded; InputError says what stands in the way."""
    place = one_line(str(path), 120)
    try:
        expanded = Path(path).expanduser()
        _refuse_what_is_no_file(expanded.stat(), place)
        # A pipe put in the file's place since then must not block either.
        handle = os.open(expanded, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with os.fdopen(handle, "rb") as file:
            status = os.fstat(handle)
            _refuse_what_is_no_file(status, place)
            if status.st_size > limits.bytes:
                raise _too_large(place, limits)
            return _read_bounded(file, place, limits, cancelled)
    except FileNotFoundError:
        raise InputError("there is no such file", place, "check the name") from None
    except PermissionError:
        raise InputError("it may not be read", place, "check its permissions") from None
    except (OSError, ValueError, RuntimeError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise InputError(f"it cannot be opened ({reason})", place, "check the name and the disk") from None


def read_stream(
    stream: BinaryIO,
    *,
    name: str = "standard input",
    limits: Limits = Limits(),  # noqa: B008 - it is frozen
    cancelled: Callable[[], bool] | None = None,
) -> Opened:
    """Read a stream to its end, such as standard input; it waits as long as the other side keeps it open."""
    try:
        data = _read_bounded(stream, name, limits, cancelled)
    except OSError as error:
        raise InputError(f"it cannot be read ({error.strerror})", name, "give a file") from None
    return read_batches(data, name=name, limits=limits, cancelled=cancelled)


def pasted_path(text: str) -> Path | None:
    """The plain file that a pasted line names, as terminals write a dropped file; None for all else.

    Taken are plain paths, quoted and backslash-escaped ones, and `file://` URLs.
    """
    line = text.strip()
    if not line or len(line) > _LONGEST_PATH or "\n" in line or "\0" in line:
        return None
    spellings = [line]
    if line.startswith("file://"):
        spellings = [unquote(urlsplit(line).path)]
    elif line[0] in "'\"" or "\\" in line:
        try:
            words = shlex.split(line)
        except ValueError:
            words = []
        spellings += words if len(words) == 1 else []
    for spelling in spellings:
        try:
            path = Path(spelling).expanduser()
            if path.is_file():
                return path
        except (OSError, ValueError, RuntimeError):
            continue
    return None


def _read_bounded(
    stream: BinaryIO, place: str, limits: Limits, cancelled: Callable[[], bool] | None
) -> bytes:
    chunks = []
    size = 0
    while chunk := stream.read(_CHUNK):
        size += len(chunk)
        if size > limits.bytes:
            raise _too_large(place, limits)
        if cancelled is not None and cancelled():
            raise ReadingCancelledError
        chunks.append(chunk)
    return b"".join(chunks)


def _refuse_what_is_no_file(status: os.stat_result, place: str) -> None:
    for is_kind, kind in _KINDS:
        if is_kind(status.st_mode):
            remedy = "name a file in it" if kind == "a directory" else "send it to standard input, and give -"
            raise InputError(f"it is {kind}, no file", place, remedy)


def _too_large(place: str, limits: Limits) -> InputError:
    return InputError(f"it has more than {limits.bytes:,} bytes", place, "make it several files")
