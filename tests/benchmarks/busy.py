"""A key while 200 jobs change a second, and while the emulator scores a big batch, against the app at rest.

Another process writes the changes, as another window would. The keys are `down` in the list of jobs and a
letter in the query.
"""

import asyncio
import itertools
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from batchtui.exchange.reading import read_batches
from batchtui.model import Draft

from .opening import big_file
from .running_app import app_at_home, key_latency, until
from .stores import seed
from .support import ROOT, Table, copy_store, database_in, temporary_home

JOBS, OPEN_JOBS = 10_000, 400
CHANGES_A_SECOND = 200
KEYS, ROUNDS = 8, 3
REST, CHANGING, SCORING = "at rest", "200 changes a second", "a 10 MB batch is scored"


def change_jobs(database: Path) -> None:
    """Change the state of open jobs, 200 a second, in as many transactions, until killed."""
    connection = sqlite3.connect(database, timeout=10, isolation_level=None)
    connection.execute("PRAGMA synchronous = NORMAL")
    started = time.perf_counter()
    for number in itertools.count(1):
        connection.execute(
            "UPDATE jobs SET revision = (SELECT max(revision) + 1 FROM jobs), state = ? WHERE id = ?",
            ("running" if number % 2 else "queued", JOBS - number % OPEN_JOBS),
        )
        time.sleep(max(0.0, started + number / CHANGES_A_SECOND - time.perf_counter()))


@contextmanager
def changes(database: Path) -> Iterator[None]:
    """Changes for as long as this lasts."""
    command = [sys.executable, "-m", "tests.benchmarks.busy", str(database)]
    nowhere = subprocess.DEVNULL
    process = subprocess.Popen(command, cwd=ROOT, stdin=nowhere, stdout=nowhere, stderr=nowhere)
    try:
        yield
    finally:
        process.kill()
        process.wait()


async def measure(home: Path, table: Table) -> None:
    """The same keys at rest, among changes, and while a batch is scored, in turns."""
    async with app_at_home(home, Draft(0, read_batches(big_file()).batch)) as (app, _):
        jobs, query = app.jobs_pane.jobs, app.compose_pane.query_one("#query")
        fields = {"down in Jobs": (jobs, "cursor", ("down", "up")), "a letter": (query, "selection", "ab")}
        found: dict[tuple[str, str], list[float]] = {}

        async def keys(when: str) -> None:
            for what, (field, attribute, pressed) in fields.items():
                app.set_focus(field)
                await asyncio.sleep(0.2)
                latency = await key_latency(app, field, attribute, [*pressed] * KEYS)
                found.setdefault((what, when), []).append(latency)

        for _ in range(ROUNDS):
            await keys(REST)
            with changes(database_in(home)):
                await asyncio.sleep(2.0)
                await keys(CHANGING)
            await asyncio.sleep(1.0)
            app.draft_actions.submit_batch(app.compose_pane.composition.to_submit())
            await until(lambda: app.service.open_count() > OPEN_JOBS)
            await keys(SCORING)
            await until(lambda: app.service.open_count() == OPEN_JOBS)
            await asyncio.sleep(1.0)
    for what in fields:
        rest = median(found[what, REST])
        for when in (CHANGING, SCORING):
            table.ratio(f"{what}, {when}", median(found[what, when]), rest, 2.0)


def main() -> None:
    """Print the table."""
    with temporary_home() as home:
        seed(home / "seeded.db", JOBS, open_jobs=OPEN_JOBS)
        copy_store(home / "seeded.db", home / "home")
        asyncio.run(measure(home / "home", Table("A key among other work, against the same key at rest")))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        change_jobs(Path(sys.argv[1]))
    else:
        main()
