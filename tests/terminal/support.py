"""The real program in a terminal: every byte it writes is kept, and a screen obeys them."""

import contextlib
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pexpect
import pyte

ROOT = Path(__file__).parents[2]
PROGRAM = (sys.executable, "-m", "batchtui")
NOTHING_MORE: Mapping[str, str] = {}
PATIENCE = 60.0
QUERY = "This is a story about Cloudflare"
ORANGE = "This is a story about an orange cloud"
LLAMA = "This is a story about a llama"
EMOJI = "This is a story about a hugging emoji"
CTRL_J, CTRL_Q, CTRL_S, ENTER, ESCAPE = "\n", "\x11", "\x13", "\r", "\x1b"
F2, F3, F4 = "\x1bOQ", "\x1bOR", "\x1bOS"
ALTERNATE_SCREEN = re.compile(rb"\x1b\[\?1049([hl])")
CURSOR = re.compile(rb"\x1b\[\?25([hl])")


def environment_of(home: Path) -> dict[str, str]:
    """All that the program sees."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "PYTHONPATH": str(ROOT),
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "LANG": "C.UTF-8",
    }


class Terminal:
    """A terminal with the program in it."""

    def __init__(
        self,
        home: Path,
        size: tuple[int, int],
        *arguments: str,
        stdin: str = "",
        program: Sequence[str] = PROGRAM,
        environment: Mapping[str, str] = NOTHING_MORE,
    ) -> None:
        width, height = size
        command = [*program, *arguments]
        if stdin:
            command = ["/bin/sh", "-c", f"exec {shlex.join(command)} < {shlex.quote(stdin)}"]
        self.written = b""
        self.screen = pyte.Screen(width, height)
        self._stream = pyte.ByteStream(self.screen)
        self.process = pexpect.spawn(
            command[0],
            command[1:],
            cwd=str(home),
            env={**environment_of(home), **environment},
            dimensions=(height, width),
            timeout=PATIENCE,
        )

    def read(self) -> bool:
        """Take in what the program wrote; False once it has closed the terminal."""
        try:
            data = self.process.read_nonblocking(65_536, timeout=0.05)
        except pexpect.TIMEOUT:
            return True
        except pexpect.EOF:
            return False
        self.written += data
        self._stream.feed(_without_foreign_sequences(data))
        return True

    def until(self, condition: Callable[[], object], what: str) -> None:
        """Read until the condition holds; where it never does, fail with the screen."""
        end = time.monotonic() + PATIENCE
        while not condition():
            alive = self.read()
            if time.monotonic() > end or (not alive and not condition()):
                raise AssertionError(f"waited in vain for {what}\n{self.seen}")

    def until_seen(self, *texts: str) -> None:
        """Read until each text stands on the screen."""
        self.until(lambda: all(text in self.seen for text in texts), repr(texts))

    def until_ended(self) -> int:
        """Read until the program has ended; its exit status."""
        end = time.monotonic() + PATIENCE
        while self.read():
            assert time.monotonic() < end, self.seen
        self.process.close(force=True)
        assert self.process.exitstatus is not None, self.process.signalstatus
        return int(self.process.exitstatus)

    def type(self, text: str) -> None:
        """Send keys as a keyboard does."""
        self.process.send(text)

    def kill(self) -> None:
        """End the program at once, as nothing can prevent."""
        self.process.kill(signal.SIGKILL)
        with contextlib.suppress(OSError):
            self.process.wait()

    def hang_up(self) -> None:
        """Take the terminal away without a signal, and wait until the program has ended by itself."""
        self.process.ptyproc.fileobj.close()
        self.process.closed = self.process.ptyproc.closed = True
        end = time.monotonic() + PATIENCE
        while self.process.isalive():
            assert time.monotonic() < end, "the program goes on without its terminal"
            time.sleep(0.05)

    @property
    def line_by_line(self) -> bool:
        """Whether the terminal echoes and takes lines, as a shell needs it."""
        modes = termios.tcgetattr(self.process.child_fd)[3]
        return bool(modes & termios.ECHO and modes & termios.ICANON and modes & termios.ISIG)

    @property
    def seen(self) -> str:
        """The screen as text, a line a row."""
        return "\n".join(line.rstrip() for line in self.screen.display)

    def last(self, mode: "re.Pattern[bytes]") -> bytes:
        """Whether a mode was last set (`h`) or reset (`l`)."""
        found = mode.findall(self.written)
        return bytes(found[-1]) if found else b""


def _without_foreign_sequences(data: bytes) -> bytes:
    # pyte does not know `CSI > … u` and the like, and would print their letters.
    return re.sub(rb"\x1b\[[<>=][0-9;]*[a-zA-Z]", b"", data)


@contextmanager
def terminal(
    home: Path,
    *arguments: str,
    size: tuple[int, int] = (120, 36),
    stdin: str = "",
    program: Sequence[str] = PROGRAM,
    environment: Mapping[str, str] = NOTHING_MORE,
) -> Iterator[Terminal]:
    """The program, opened and at its first screen; ended by force where the test leaves it running."""
    opened = Terminal(home, size, *arguments, stdin=stdin, program=program, environment=environment)
    try:
        opened.until_seen("Compose", "batchtui")
        yield opened
    finally:
        opened.process.close(force=True)


def show_last(home: Path) -> Any:
    """What `batchtui show last --json` says."""
    command = [*PROGRAM, "show", "last", "--json"]
    done = subprocess.run(command, env=environment_of(home), capture_output=True, check=True)
    return json.loads(done.stdout)


def jobs(home: Path) -> Any:
    """What `batchtui jobs --json` says."""
    command = [*PROGRAM, "jobs", "--json"]
    done = subprocess.run(command, env=environment_of(home), capture_output=True, check=True)
    return json.loads(done.stdout)
