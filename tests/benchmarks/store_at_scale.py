"""What the store's readings cost with 100,000 jobs (or as many as its argument says); set PYTHONPATH=tests.

Prints the median of five readings of each kind in milliseconds, and what a submit of 10 MB costs.
"""

import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from jobs.support import ClientsOf

from batchtui.clock import SystemClock
from batchtui.jobs.database import Database
from batchtui.jobs.parts import plan_parts
from batchtui.jobs.schedule import FollowPolicy
from batchtui.jobs.search import JobQuery
from batchtui.jobs.service import JobsService
from batchtui.jobs.submission import insert, prepare
from batchtui.model import Batch, Context, JobState, Request

BACKEND = "http://127.0.0.1:1/client/v4"
STATES = ["done"] * 90 + ["failed"] * 5 + ["unconfirmed", "expired", "stopped"]


def fill(path: Path, count: int) -> None:
    """Write `count` jobs of three contexts each, ended in every way, in one transaction."""
    chance = random.Random(1)
    words = [f"w{number}" for number in range(5_000)] + ["refund", "shipping", "order"]
    database = Database(path)
    with database.write() as connection:
        for _ in range(count):
            contexts = tuple(Context(" ".join(chance.choices(words, k=15))) for _ in range(3))
            batch = Batch((Request(" ".join(chance.choices(words, k=6)), contexts),))
            planned = plan_parts(batch, 9_000_000, takes_batches=True)
            submission = prepare(
                batch, planned, backend=BACKEND, account_id=None, label=None, takes_batches=True
            )
            job_id = insert(connection, submission, 1e9)
            connection.execute(
                "UPDATE jobs SET state = ?, next_ask_at = NULL, submitted_at = ?, prompt_tokens = 0,"
                " completion_tokens = 0, total_tokens = ?, ndcg_at_10 = ?, pinned = ? WHERE id = ?",
                (
                    chance.choice(STATES),
                    1e9 + job_id,
                    chance.randrange(1_000),
                    chance.random() if job_id % 3 == 0 else None,
                    job_id % 5_000 == 7,
                    job_id,
                ),
            )
        connection.execute("UPDATE parts SET state = 'done', next_at = NULL")
    database.close()


def milliseconds(work: Callable[[], object]) -> float:
    """The median of five runs."""
    times = []
    for _ in range(5):
        begun = time.perf_counter()
        work()
        times.append(time.perf_counter() - begun)
    return statistics.median(times) * 1_000


def main(count: int) -> None:
    """Fill a store and print what its readings cost."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "batchtui.db"
        fill(path, count)
        begun = time.perf_counter()
        jobs = JobsService.open(path, ClientsOf(), SystemClock(), FollowPolicy())
        print(f"open {(time.perf_counter() - begun) * 1_000:.2f} ms with {jobs.count():,} jobs")
        failed = frozenset({JobState.FAILED})
        for name, work in {
            "count": lambda: jobs.count(),
            "first page": lambda: jobs.page(JobQuery(), 0, 50),
            "middle page": lambda: jobs.page(JobQuery(), count // 2, 50),
            "last page": lambda: jobs.page(JobQuery(), count - 50, 50),
            "last page by tokens": lambda: jobs.page(JobQuery(sort="tokens"), count - 50, 50),
            "last page by metric": lambda: jobs.page(JobQuery(sort="metric"), count - 50, 50),
            "first page of the failed": lambda: jobs.page(JobQuery(states=failed), 0, 50),
            "place of the oldest": lambda: jobs.position(JobQuery(), 1),
            "first page of a rare word": lambda: jobs.page(JobQuery(text="refund"), 0, 50),
            "count of a rare word": lambda: jobs.count(JobQuery(text="refund")),
            "first page of a letter in all jobs": lambda: jobs.page(JobQuery(text="w"), 0, 50),
            "count of a letter in all jobs": lambda: jobs.count(JobQuery(text="w")),
            "version": jobs.version,
        }.items():
            print(f"{name:36} {milliseconds(work):8.2f} ms")
        chance = random.Random(2)
        context = Context(" ".join(f"word{chance.randrange(9_999)}" for _ in range(120)))
        batch = Batch(tuple(Request(f"query {number}", (context,) * 625) for number in range(16)))
        submit = milliseconds(lambda: jobs.submit(batch, backend=BACKEND))
        print(f"{'submit of 10 MB, 10,000 contexts':36} {submit:8.2f} ms")
        jobs.close()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
