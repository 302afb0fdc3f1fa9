"""What every change to a part does to its job, inside the transaction of that change."""

import sqlite3

from batchtui.jobs.parts import ENDED, PartState, derive_state
from batchtui.model import OPEN_STATES, JobState

_SHOWS_ERROR = frozenset({JobState.FAILED, JobState.UNCONFIRMED, JobState.EXPIRED})

NEXT_IF_FOLLOWED = "(SELECT CASE WHEN stopped OR deleted THEN NULL ELSE ? END FROM jobs WHERE id = job_id)"
"""SQL for a part's next time: the value bound to it, or none where the job is not followed now."""


def refresh_job(connection: sqlite3.Connection, job_id: int, now: float) -> None:
    """Bring the job's own row up to date with its parts."""
    rows = connection.execute(
        "SELECT state, count(*), min(next_at), sum(failed_requests) FROM parts"
        " WHERE job_id = ? GROUP BY state",
        (job_id,),
    ).fetchall()
    counts = {PartState(state): number for state, number, _, _ in rows}
    asks = [next_at for _, _, next_at, _ in rows if next_at is not None]
    failed = sum(row[3] for row in rows)
    stopped, takes_batches, requests = connection.execute(
        "SELECT stopped, takes_batches, requests FROM jobs WHERE id = ?", (job_id,)
    ).fetchone()
    state = derive_state(
        counts, stopped=bool(stopped), takes_batches=bool(takes_batches), all_failed=failed >= requests
    )
    ended = sum(counts.get(state, 0) for state in ENDED)
    connection.execute(
        """
        UPDATE jobs SET
            revision = (SELECT max(revision) + 1 FROM jobs),
            state = :state,
            next_ask_at = :next_at,
            parts_done = :ended,
            failed_requests = :failed,
            request_id = (SELECT request_id FROM parts WHERE job_id = :id AND part = 0),
            started_at = CASE WHEN :started THEN coalesce(started_at, :now) ELSE started_at END,
            finished_at = CASE WHEN :finished THEN coalesce(finished_at, :now) END,
            error = CASE WHEN :shows_error THEN (
                SELECT error FROM parts WHERE job_id = :id AND error IS NOT NULL
                ORDER BY state != 'unconfirmed', part LIMIT 1) END,
            problem = (
                SELECT problem FROM parts WHERE job_id = :id AND problem IS NOT NULL ORDER BY part LIMIT 1)
        WHERE id = :id
        """,
        {
            "id": job_id,
            "state": state,
            "next_at": min(asks, default=None),
            "ended": ended,
            "failed": failed,
            "started": state is JobState.RUNNING,
            "finished": state not in OPEN_STATES and ended == sum(counts.values()),
            "shows_error": state in _SHOWS_ERROR,
            "now": now,
        },
    )


def touch_job(connection: sqlite3.Connection, job_id: int) -> None:
    """Mark the job as changed, for those who watch."""
    connection.execute(
        "UPDATE jobs SET revision = (SELECT max(revision) + 1 FROM jobs) WHERE id = ?", (job_id,)
    )
