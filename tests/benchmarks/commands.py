"""The commands over bare Python, and what the app holds in memory with 100,000 jobs stored."""

import subprocess
import sys
import time
from pathlib import Path

from .stores import seed
from .support import (
    ROOT,
    Table,
    app_on,
    batchtui,
    copy_store,
    environment_of,
    interleaved,
    temporary_home,
)

JOBS = 100_000
ROUNDS = 15
JOBS_KEY, PAGE_DOWN, END, HOME = "\x1bOQ", "\x1b[6~", "G", "g"


def milliseconds(command: list[str], home: Path) -> float:
    """How long a command runs."""
    started = time.perf_counter()
    subprocess.run(command, cwd=ROOT, env=environment_of(home), stdout=subprocess.DEVNULL, check=True)
    return (time.perf_counter() - started) * 1000


def memory(table: Table, home: Path) -> None:
    """The app on the long list, before and after a walk through it."""
    with app_on(home) as terminal:
        terminal.watch(3.0)
        table.limit(f"memory with {JOBS:,} jobs, app open", terminal.megabytes(), 80, "MB")
        terminal.write(JOBS_KEY)
        for key in (PAGE_DOWN * 200, END, HOME, "j" * 200):
            terminal.write(key)
            terminal.watch(2.0)
        table.limit("    after scrolling", terminal.megabytes(), 80, "MB")


def main() -> None:
    """Print the table."""
    with temporary_home() as home:
        few, many = home / "few", home / "many"
        for place, jobs in ((few, 10), (many, JOBS)):
            seed(home / f"{place.name}.db", jobs)
            copy_store(home / f"{place.name}.db", place)
        found = interleaved(
            {
                "python": lambda: milliseconds([sys.executable, "-c", ""], few),
                "help": lambda: milliseconds(batchtui("--help"), few),
                "jobs": lambda: milliseconds(batchtui("jobs"), few),
            },
            ROUNDS,
        )
        table = Table("Commands")
        for name in ("help", "jobs"):
            table.limit(f"{name}, over bare Python", found[name] - found["python"], 150)
        table.limit(f"jobs, {JOBS:,} of them", milliseconds(batchtui("jobs"), many), float("inf"))
        memory(table, many)


if __name__ == "__main__":
    main()
