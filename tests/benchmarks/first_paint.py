"""First paint, from the start of the process: `first_paint [POSTING]`, the path of posting's command.

The app on an empty store and on one of 100,000 jobs, held against a bare Textual app with the same widgets.
"""

import sys
from pathlib import Path

from .stores import seed
from .support import Table, Terminal, batchtui, copy_store, interleaved, temporary_home

JOBS = 100_000
ROUNDS = 9


def first_paint(command: list[str], home: Path, text: str) -> float:
    """Milliseconds until a text of the first frame stands on the screen."""
    with Terminal(command, home) as terminal:
        return terminal.until_shown(text) * 1000


def main(posting: str | None) -> None:
    """Print the table."""
    bare = [sys.executable, "-m", "tests.benchmarks.bare_app"]
    with temporary_home() as home:
        empty, full = home / "empty", home / "full"
        empty.mkdir()
        seed(home / "seeded.db", JOBS)
        copy_store(home / "seeded.db", full)
        sides = {
            "bare": lambda: first_paint(bare, home, "Nothing to show"),
            "empty": lambda: first_paint(batchtui(), empty, "Nothing to show"),
            "full": lambda: first_paint(batchtui(), full, f"{JOBS:,}"),
        }
        if posting:
            sides["posting"] = lambda: first_paint([posting], home, "Collection")
        found = interleaved(sides, ROUNDS)
    table = Table("First paint")
    table.ratio("empty store, against a bare Textual app", found["empty"], found["bare"], 1.5)
    if posting:
        table.ratio("empty store, against posting", found["empty"], found["posting"], 0.5)
    table.ratio(f"{JOBS:,} jobs stored, against empty", found["full"], found["empty"], 1.2)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
