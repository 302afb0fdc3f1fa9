"""What a person does to a job: name, pin, delete, stop, follow, ask now, send again, forget."""

import sqlite3
from collections.abc import Iterable

from batchtui.clock import Clock
from batchtui.jobs.database import Database
from batchtui.jobs.errors import NoSuchJob
from batchtui.jobs.job_store import request_decoder
from batchtui.jobs.parts import PartState, lane_of
from batchtui.jobs.rows import encode_error, storable
from batchtui.jobs.search import indexed_text, indexed_words
from batchtui.jobs.transitions import refresh_job, touch_job
from batchtui.model import JobError

NOW_FIRST = 0.0
"""A `next_at` before all others: asked for at once, ahead of what is merely due."""

FORGOTTEN = JobError(
    None, "You chose to forget this batch: whether it ran is unknown.", "Submit it again to have a ranking."
)

_FOLLOWED = "state IN ('pending', 'queued', 'running')"
_PURGED_AT_ONCE = 20


class JobActions:
    """Each action is one transaction; those on a job that is not there raise NoSuchJob."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def set_label(self, job_id: int, text: str) -> None:
        """Name the job."""
        self._set_words(job_id, "label", text)

    def set_note(self, job_id: int, text: str) -> None:
        """Write beside the job."""
        self._set_words(job_id, "note", text)

    def set_pinned(self, job_id: int, pinned: bool) -> None:
        """Keep the job on top of the list, or let it go."""
        with self._database.write() as connection:
            _require(connection, job_id)
            connection.execute("UPDATE jobs SET pinned = ? WHERE id = ?", (pinned, job_id))
            touch_job(connection, job_id)

    def delete(self, job_id: int) -> None:
        """Put the job away: it is neither listed, sent nor asked for until it is undeleted or purged."""
        now = self._clock.now()
        with self._database.write() as connection:
            _require(connection, job_id)
            connection.execute("UPDATE jobs SET deleted = 1, deleted_at = ? WHERE id = ?", (now, job_id))
            connection.execute("UPDATE parts SET next_at = NULL WHERE job_id = ?", (job_id,))
            refresh_job(connection, job_id, now)

    def undelete(self, job_id: int) -> None:
        """Bring a deleted job back; it is followed again if it was."""
        with self._database.write() as connection:
            _require(connection, job_id)
            connection.execute("UPDATE jobs SET deleted = 0, deleted_at = NULL WHERE id = ?", (job_id,))
            self._follow(connection, job_id)

    def stop(self, job_id: int) -> None:
        """Neither send nor ask for the job any more; what is just being sent is still recorded."""
        with self._database.write() as connection:
            _require(connection, job_id)
            connection.execute("UPDATE jobs SET stopped = 1 WHERE id = ?", (job_id,))
            connection.execute("UPDATE parts SET next_at = NULL WHERE job_id = ?", (job_id,))
            refresh_job(connection, job_id, self._clock.now())

    def follow(self, job_id: int) -> None:
        """Follow a stopped job again, at once."""
        with self._database.write() as connection:
            _require(connection, job_id)
            connection.execute("UPDATE jobs SET stopped = 0 WHERE id = ?", (job_id,))
            self._follow(connection, job_id)

    def ask_now(self, job_id: int) -> None:
        """Let the followed parts of the job be sent or asked for before all others."""
        with self._database.write() as connection:
            _require(connection, job_id)
            connection.execute(
                "UPDATE parts SET next_at = ? WHERE job_id = ? AND next_at IS NOT NULL", (NOW_FIRST, job_id)
            )
            refresh_job(connection, job_id, self._clock.now())

    def resubmit(self, job_id: int) -> None:
        """Send again what is unconfirmed, failed or expired: the person's word, at the person's cost."""
        now = self._clock.now()
        with self._database.write() as connection:
            _require(connection, job_id)
            rows = connection.execute(
                "SELECT part, first_request, request_count, backend FROM parts"
                " WHERE job_id = ? AND state IN ('unconfirmed', 'failed', 'expired')",
                (job_id,),
            ).fetchall()
            for part, first, count, backend in rows:
                connection.execute(
                    "UPDATE parts SET state = ?, lane = ?, request_id = NULL, submitted_at = NULL,"
                    " failures = 0, failed_requests = 0, error = NULL, problem = NULL,"
                    " lease_owner = NULL, lease_until = NULL WHERE job_id = ? AND part = ?",
                    (PartState.PENDING, lane_of(backend, sends=True), job_id, part),
                )
                _drop_results(connection, job_id, first, count)
            connection.execute("UPDATE jobs SET stopped = 0 WHERE id = ?", (job_id,))
            self._follow(connection, job_id)
            refresh_job(connection, job_id, now)

    def forget(self, job_id: int) -> None:
        """End the unconfirmed parts of the job as failed, saying that the person chose so."""
        now = self._clock.now()
        with self._database.write() as connection:
            _require(connection, job_id)
            rows = connection.execute(
                "SELECT part, request_count FROM parts WHERE job_id = ? AND state = 'unconfirmed'", (job_id,)
            ).fetchall()
            for part, count in rows:
                connection.execute(
                    "UPDATE parts SET state = ?, error = ?, problem = NULL, failed_requests = ?"
                    " WHERE job_id = ? AND part = ?",
                    (PartState.FAILED, encode_error(FORGOTTEN), count, job_id, part),
                )
            refresh_job(connection, job_id, now)

    def purge(self, older_than: float) -> int:
        """Remove for good what was deleted before the epoch second `older_than`; how many jobs."""
        removed = 0
        while True:
            with self._database.write() as connection:
                rows = connection.execute(
                    "SELECT id FROM jobs WHERE deleted = 1 AND deleted_at < ?"
                    " AND revision < (SELECT max(revision) FROM jobs) LIMIT ?",
                    (older_than, _PURGED_AT_ONCE),
                ).fetchall()
                _remove(connection, [job_id for (job_id,) in rows])
            removed += len(rows)
            if len(rows) < _PURGED_AT_ONCE:
                return removed

    def _follow(self, connection: sqlite3.Connection, job_id: int) -> None:
        now = self._clock.now()
        connection.execute(
            f"UPDATE parts SET next_at = ? WHERE job_id = ? AND {_FOLLOWED}"
            " AND (SELECT NOT stopped AND NOT deleted FROM jobs WHERE id = job_id)",
            (now, job_id),
        )
        refresh_job(connection, job_id, now)

    def _set_words(self, job_id: int, column: str, text: str) -> None:
        words = storable(text)
        with self._database.write() as connection:
            _require(connection, job_id)
            connection.execute(f"UPDATE jobs SET {column} = ? WHERE id = ?", (words, job_id))
            connection.execute(
                f"UPDATE job_words SET {column} = ? WHERE rowid = ?", (indexed_words(words), job_id)
            )
            touch_job(connection, job_id)


def _require(connection: sqlite3.Connection, job_id: int) -> None:
    if connection.execute("SELECT 1 FROM jobs WHERE id = ?", (job_id,)).fetchone() is None:
        raise NoSuchJob(job_id)


def _drop_results(connection: sqlite3.Connection, job_id: int, first: int, count: int) -> None:
    connection.execute(
        "DELETE FROM results WHERE job_id = ? AND position BETWEEN ? AND ?",
        (job_id, first, first + count - 1),
    )


def _remove(connection: sqlite3.Connection, job_ids: Iterable[int]) -> None:
    for job_id in job_ids:
        rows = connection.execute(
            "SELECT data FROM requests WHERE job_id = ? ORDER BY position", (job_id,)
        ).fetchall()
        # A contentless index forgets a row only when it is handed the text that was put in.
        connection.execute(
            "INSERT INTO job_texts (job_texts, rowid, query, contexts, reference)"
            " VALUES ('delete', ?, ?, ?, ?)",
            (job_id, *indexed_text([request_decoder.decode(data) for (data,) in rows])),
        )
        connection.execute("DELETE FROM job_words WHERE rowid = ?", (job_id,))
        connection.execute("DELETE FROM jobs WHERE id = ?", (job_id,))
