"""The real program in a pseudo terminal, with every byte that it wrote."""

import contextlib
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pexpect

from .support import PROGRAM

ROWS, COLUMNS = 44, 150
PATIENCE = 30.0
QUIET_SECONDS = 0.12
# A clock on the screen never rests.
LONGEST_UNREST = 1.0


class Terminal:
    """Types into the program and keeps what it answers."""

    def __init__(self, arguments: list[str], environment: Mapping[str, str], cwd: Path) -> None:
        self.written = b""
        self._child = pexpect.spawn(
            PROGRAM[0],
            [*PROGRAM[1:], *arguments],
            env=dict(environment),
            cwd=str(cwd),
            dimensions=(ROWS, COLUMNS),
            timeout=PATIENCE,
        )
        self._child.delaybeforesend = None
        self._status: int | None = None

    @property
    def pid(self) -> int:
        """The process of the program."""
        return int(self._child.pid)

    @property
    def alive(self) -> bool:
        """Whether the program still runs."""
        return bool(self._child.isalive())

    def read_until(self, text: str) -> bytes:
        """Read on until the program has written `text` since the last key; what it wrote."""
        start = len(self.written)
        deadline = time.monotonic() + PATIENCE
        while text.encode() not in self.written[start:]:
            if not self._read(0.5) and (time.monotonic() > deadline or not self.alive):
                raise AssertionError(f"never written: {text!r}; last: {self.written[-2000:]!r}")
        return self.written[start:]

    def press(
        self, keys: str | bytes, *, quiet: float = QUIET_SECONDS, first: float = 0.0, until: str = ""
    ) -> bytes:
        """Send keys, and return what was written until nothing more came for `quiet` seconds.

        `first` is how long to wait for an answer at all, in seconds; `until` is what is to be waited for.
        """
        start = len(self.written)
        self._child.send(keys)
        if until:
            self.read_until(until)
        elif first:
            self._read(first)
        self.settle(quiet)
        return self.written[start:]

    def settle(self, quiet: float = QUIET_SECONDS) -> bytes:
        """Read until nothing comes for a moment; what came."""
        start = len(self.written)
        deadline = time.monotonic() + LONGEST_UNREST
        while self._read(quiet) and time.monotonic() < deadline:
            pass
        return self.written[start:]

    def quit(self) -> int | None:
        """Leave by ctrl+q; the exit status."""
        if self._child.closed:
            return self._status
        with contextlib.suppress(OSError):
            self._child.send("\x11")
        deadline = time.monotonic() + PATIENCE
        while self.alive and time.monotonic() < deadline:
            self._read(0.2)
        while self._read(0.2):
            pass
        self._child.close(force=True)
        self._status = self._child.exitstatus
        return self._status

    def _read(self, seconds: float) -> bool:
        try:
            self.written += self._child.read_nonblocking(1 << 16, timeout=seconds)
        except (pexpect.TIMEOUT, pexpect.EOF):
            return False
        return True


@contextlib.contextmanager
def terminal(arguments: list[str], environment: Mapping[str, str], cwd: Path) -> Iterator[Terminal]:
    """The program in a terminal of its own, ended at the end."""
    opened = Terminal(arguments, environment, cwd)
    try:
        yield opened
    finally:
        opened.quit()
