"""What the benchmarks share: a home of their own, programs in a terminal, and a small table."""

import fcntl
import os
import pty
import select
import shutil
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

ROOT = Path(__file__).parent.parent.parent
ROWS, COLUMNS = 36, 120
# A terminal that is asked says that it draws whole frames; Textual then marks where each begins and ends.
ASKED_FOR_FRAMES, HAS_FRAMES = b"\x1b[?2026$p", b"\x1b[?2026;2$y"
FRAME_ENDS = b"\x1b[?2026l"
PATIENCE = 60.0
QUIET = 0.25


@contextmanager
def temporary_home() -> Iterator[Path]:
    """An empty home directory for the length of a measurement."""
    with tempfile.TemporaryDirectory(prefix="batchtui-benchmark-", ignore_cleanup_errors=True) as directory:
        yield Path(directory)


def environment_of(home: Path) -> dict[str, str]:
    """The environment of a program whose files all lie in `home`."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "PYTHONPATH") if name in os.environ}
    places = {f"XDG_{name}_HOME": str(home / name.lower()) for name in ("CONFIG", "DATA", "STATE", "CACHE")}
    return {**kept, **places, "HOME": str(home), "TERM": "xterm-256color", "COLORTERM": "truecolor"}


def database_in(home: Path) -> Path:
    """Where the program keeps its jobs in this home."""
    return home / "data" / "batchtui" / "batchtui.db"


class Terminal:
    """A program on a pseudo-terminal of 120×36; `started` is when it was, by the clock of `perf_counter`."""

    def __init__(self, command: Sequence[str], home: Path) -> None:
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self._handle = ours
        self.started = time.perf_counter()
        self.process = subprocess.Popen(
            command,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=ROOT,
            env=environment_of(home),
            start_new_session=True,
        )
        os.close(theirs)

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.close(self._handle)

    def write(self, text: str) -> None:
        """Type."""
        os.write(self._handle, text.encode())

    def until_shown(self, text: str) -> float:
        """Seconds from the start until a text was written to the screen."""
        return self._read_until(lambda seen: text.encode() in seen, self.started)

    def until_frame(self) -> float:
        """Seconds until a whole frame has been drawn, from now."""
        return self._read_until(lambda seen: FRAME_ENDS in seen, time.perf_counter())

    def settle(self, quiet: float = QUIET) -> None:
        """Read until nothing was drawn for so long."""
        while self._read(quiet):
            pass

    def watch(self, seconds: float) -> None:
        """Read for so long, whatever is drawn."""
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            self._read(left)

    def cpu_seconds(self) -> float:
        """Processor time that the program itself has taken."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def megabytes(self) -> float:
        """Memory that the program itself holds (RSS), in millions of bytes."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    def _read_until(self, found: Callable[[bytes], bool], since: float) -> float:
        seen = b""
        end = time.perf_counter() + PATIENCE
        while not found(seen):
            seen += self._read(1.0)
            if time.perf_counter() > end or self.process.poll() is not None:
                raise TimeoutError(f"not drawn: {seen[-2000:]!r}")
        return time.perf_counter() - since

    def _read(self, seconds: float) -> bytes:
        if not select.select([self._handle], [], [], seconds)[0]:
            return b""
        try:
            data = os.read(self._handle, 1 << 20)
        except OSError:
            return b""
        if ASKED_FOR_FRAMES in data:
            os.write(self._handle, HAS_FRAMES)
        return data


def batchtui(*arguments: str) -> list[str]:
    """The command that starts the program."""
    return [sys.executable, "-m", "batchtui", *arguments]


@contextmanager
def app_on(home: Path, *arguments: str) -> Iterator[Terminal]:
    """The program, at rest after its first paint."""
    with Terminal(batchtui(*arguments), home) as terminal:
        terminal.until_shown("Compose")
        terminal.settle()
        yield terminal


def interleaved(sides: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    """The median of each side, measured in turns so that a busy moment of the machine strikes all."""
    found: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, measure in sides.items():
            found[name].append(measure())
    return {name: statistics.median(values) for name, values in found.items()}


class Table:
    """Lines of what was measured, what it is held against, their ratio and the budget."""

    def __init__(self, title: str) -> None:
        print(f"{title}\n{'':<44} {'measured':>12} {'against':>12} {'ratio':>7} {'budget':>8}")

    def ratio(self, what: str, value: float, against: float, budget: float, unit: str = "ms") -> None:
        """A value that may be at most `budget` times another."""
        ratio = value / against
        verdict = "" if ratio <= budget else "  over"
        sides = f"{value:>9.1f} {unit:<2} {against:>9.1f} {unit:<2}"
        print(f"{what:<44} {sides} {ratio:>7.2f} {budget:>8.2f}{verdict}", flush=True)

    def limit(self, what: str, value: float, budget: float, unit: str = "ms") -> None:
        """A value that may be at most `budget`."""
        verdict = "" if value <= budget else "  over"
        print(f"{what:<44} {value:>9.1f} {unit:<2} {'':>12} {'':>7} {budget:>8.0f}{verdict}", flush=True)


def copy_store(store: Path, home: Path) -> Path:
    """Put a copy of a seeded store where the program looks for it."""
    place = database_in(home)
    place.parent.mkdir(parents=True, mode=0o700)
    return Path(shutil.copy(store, place))
