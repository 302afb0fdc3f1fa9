"""What is being read: its bytes, name and limits, and the errors that say where in it something is wrong."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from batchtui.text import one_line

REPORT_EVERY_BYTES = 256 * 1024
SHOWN_NAME_CELLS = 120
MOST_FAULTS = 1_000
"""So many faults are found in one input before it is read no further."""


class InputError(Exception):
    """Input that cannot be read: `thing` is what is wrong, `place` where, `remedy` what to do about it.

    `line` and `column` count from 1, in characters; `more` is how many further faults were found.
    `str()` is one sentence for a person, safe to print.
    """

    def __init__(
        self,
        thing: str,
        place: str = "",
        remedy: str = "",
        *,
        line: int | None = None,
        column: int | None = None,
        more: int = 0,
    ) -> None:
        super().__init__(thing, place, remedy)
        self.thing = thing
        self.place = place
        self.remedy = remedy
        self.line = line
        self.column = column
        self.more = more

    def __str__(self) -> str:
        before = f"{self.place}: " if self.place else ""
        after = f"; {self.remedy}" if self.remedy else ""
        count = f"at least {self.more:,}" if self.more >= MOST_FAULTS - 1 else f"{self.more:,}"
        further = f" (and {count} more faults)" if self.more else ""
        return one_line(f"{before}{self.thing}{after}{further}")


class ReadingCancelledError(Exception):
    """The person stopped the reading; nothing of the input was taken."""


@dataclass(frozen=True)
class Limits:
    """How much is taken from one input.

    Bytes, levels of JSON, contexts in all its requests together, and `pieces`: lines of a text or a table,
    cells of a row, keys and values of JSON, words of a command.
    """

    bytes: int = 64 * 1024 * 1024
    depth: int = 64
    contexts: int = 100_000
    pieces: int = 6_000_000


class FaultError(Exception):
    """A fault inside one value: `path` leads to it from the value being read, `offset` goes on from there."""

    def __init__(self, thing: str, remedy: str, path: tuple[str | int, ...] = (), *, offset: int = 0) -> None:
        super().__init__(thing)
        self.thing = thing
        self.remedy = remedy
        self.path = path
        self.offset = offset


class LimitPassedError(FaultError):
    """A limit of the input is passed, so that reading on has no use."""


@dataclass
class Source:
    """One input on its way to a batch; `data` bears no byte order mark."""

    data: bytes
    name: str = ""
    limits: Limits = field(default_factory=Limits)
    on_progress: Callable[[int, int], None] | None = None
    cancelled: Callable[[], bool] | None = None
    reported: int = 0

    @cached_property
    def text(self) -> str:
        """The input as text; InputError with the place of the first byte that is not UTF-8."""
        try:
            return self.data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise self.error(
                f"byte 0x{self.data[error.start]:02x} is not UTF-8", "save it as UTF-8", byte=error.start
            ) from None

    def check_lines(self) -> None:
        """InputError where the input has more lines than are worth taking apart."""
        data = self.data
        if len(data) <= self.limits.pieces:
            return
        if data.count(b"\n") + data.count(b"\r") - data.count(b"\r\n") > self.limits.pieces:
            raise self.too_many("lines")

    def too_many(self, what: str) -> InputError:
        """The error about an input of too many pieces."""
        return self.error(f"there are more than {self.limits.pieces:,} {what}", "make it several files")

    def check_encoding(self) -> None:
        """InputError where the input is not UTF-8."""
        self.text.isascii()

    def advance(self, done: int) -> None:
        """Tell how many bytes are done, now and then; ReadingCancelledError where the person stopped it."""
        if done - self.reported < REPORT_EVERY_BYTES and done < len(self.data):
            return
        self.reported = done
        if self.cancelled is not None and self.cancelled():
            raise ReadingCancelledError
        if self.on_progress is not None:
            self.on_progress(min(done, len(self.data)), len(self.data))

    def error(
        self,
        thing: str,
        remedy: str,
        *,
        byte: int | None = None,
        character: int | None = None,
        line: int | None = None,
        more: int = 0,
    ) -> InputError:
        """An error at a byte or a character of the input, or on a line of it, or about it as a whole."""
        column = None
        if byte is not None:
            line = self.data.count(b"\n", 0, byte) + 1
            start = self.data.rfind(b"\n", 0, byte) + 1
            column = len(self.data[start:byte].decode("utf-8", "replace")) + 1
        elif character is not None:
            line = self.text.count("\n", 0, character) + 1
            column = character - self.text.rfind("\n", 0, character)
        parts = [one_line(self.name, SHOWN_NAME_CELLS)] if self.name else []
        parts += [f"line {line}"] if line is not None else []
        parts += [f"column {column}"] if column is not None else []
        return InputError(thing, ", ".join(parts), remedy, line=line, column=column, more=more)
