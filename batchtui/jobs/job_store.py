"""Jobs as they are submitted, listed and read."""

import msgspec

from batchtui.clock import Clock
from batchtui.jobs.database import Database
from batchtui.jobs.errors import NoSuchJob
from batchtui.jobs.rows import JOB_COLUMNS, read_job
from batchtui.jobs.search import JobQuery, select
from batchtui.jobs.submission import Submission, insert
from batchtui.model import Batch, Job, Request

request_decoder = msgspec.msgpack.Decoder(Request)


class JobStore:
    """Reading and writing of jobs; every method is one transaction."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def insert(self, submission: Submission) -> Job:
        """Write a prepared submission as a job."""
        with self._database.write() as connection:
            job_id = insert(connection, submission, self._clock.now())
            row = connection.execute(f"SELECT {JOB_COLUMNS} FROM jobs WHERE id = ?", (job_id,)).fetchone()
        return read_job(row)

    def count(self, query: JobQuery) -> int:
        """How many jobs the query finds."""
        with self._database.read() as connection:
            if query.counted:
                rows = connection.execute(
                    "SELECT state, n FROM job_counts WHERE deleted = ?", (int(query.deleted),)
                ).fetchall()
                return sum(number for state, number in rows if state in query.states)
            selection = select(query)
            row = connection.execute(
                f"SELECT count(*) FROM jobs WHERE {selection.where}", selection.values
            ).fetchone()
            return int(row[0])

    def page(self, query: JobQuery, offset: int, limit: int) -> list[Job]:
        """At most `limit` jobs from place `offset` on."""
        selection = select(query)
        order, skipped = selection.order, offset
        # SQLite walks over what is skipped, so the far half is read from its end, where its length is known.
        if query.counted and offset > (count := self.count(query)) // 2:
            order = selection.order_from_the_end
            limit = max(min(limit, count - offset), 0)
            skipped = max(count - offset - limit, 0)
        with self._database.read() as connection:
            rows = connection.execute(
                f"SELECT {JOB_COLUMNS} FROM jobs WHERE id IN (SELECT id FROM jobs WHERE {selection.where}"
                f" ORDER BY {order} LIMIT ? OFFSET ?) ORDER BY {selection.order}",
                (*selection.values, limit, skipped),
            ).fetchall()
            return [read_job(row) for row in rows]

    def position(self, query: JobQuery, job_id: int) -> int | None:
        """The place of a job in what the query finds, from 0; None where it is not in it."""
        selection = select(query)
        with self._database.read() as connection:
            found = connection.execute(
                f"SELECT {', '.join(selection.order_columns)} FROM jobs WHERE id = ? AND {selection.where}",
                (job_id, *selection.values),
            ).fetchone()
            if found is None:
                return None
            counts = [
                connection.execute(
                    f"SELECT count(*) FROM jobs WHERE {selection.where} AND {before}",
                    (*selection.values, *values),
                ).fetchone()
                for before, values in selection.before(found)
            ]
        return sum(int(count) for (count,) in counts)

    def job(self, job_id: int) -> Job | None:
        """One job, deleted ones too."""
        with self._database.read() as connection:
            row = connection.execute(f"SELECT {JOB_COLUMNS} FROM jobs WHERE id = ?", (job_id,)).fetchone()
            return None if row is None else read_job(row)

    def is_deleted(self, job_id: int) -> bool:
        """Whether the job is put away."""
        with self._database.read() as connection:
            row = connection.execute("SELECT deleted FROM jobs WHERE id = ?", (job_id,)).fetchone()
        return row is not None and bool(row[0])

    def last_job(self) -> Job | None:
        """The newest job that is not deleted."""
        with self._database.read() as connection:
            row = connection.execute(
                f"SELECT {JOB_COLUMNS} FROM jobs WHERE deleted = 0 ORDER BY id DESC LIMIT 1"
            ).fetchone()
            return None if row is None else read_job(row)

    def earlier_with_same_queries(self, job_id: int) -> Job | None:
        """The newest older job, not deleted, that has every query of this one; the last 200 are looked at."""
        with self._database.read() as connection:
            # Rows are written job by job, so their order is that of the jobs and the index alone gives it.
            row = connection.execute(
                "WITH own AS (SELECT rowid AS place, query_hash FROM requests WHERE job_id = :job),"
                " older AS (SELECT job_id FROM requests"
                " WHERE query_hash = (SELECT query_hash FROM own LIMIT 1)"
                " AND rowid < (SELECT min(place) FROM own) ORDER BY rowid DESC LIMIT 200)"
                " SELECT older.job_id FROM older JOIN jobs ON jobs.id = older.job_id AND NOT jobs.deleted"
                " WHERE NOT EXISTS (SELECT 1 FROM own WHERE NOT EXISTS (SELECT 1 FROM requests AS theirs"
                " WHERE theirs.job_id = older.job_id AND theirs.query_hash = own.query_hash)) LIMIT 1",
                {"job": job_id},
            ).fetchone()
        return None if row is None else self.job(row[0])

    def earlier_with_same_contexts(self, job_id: int) -> Job | None:
        """The newest older job with the contexts of this one's first request, among the last 500 requests."""
        with self._database.read() as connection:
            row = connection.execute(
                "WITH own AS (SELECT rowid AS place, text_hashes FROM requests WHERE job_id = :job"
                " ORDER BY position LIMIT 1),"
                " older AS (SELECT job_id, text_hashes FROM requests WHERE rowid < (SELECT place FROM own)"
                " ORDER BY rowid DESC LIMIT 500)"
                " SELECT older.job_id FROM older JOIN jobs ON jobs.id = older.job_id AND NOT jobs.deleted"
                " WHERE older.text_hashes = (SELECT text_hashes FROM own) AND older.job_id < :job LIMIT 1",
                {"job": job_id},
            ).fetchone()
        return None if row is None else self.job(row[0])

    def batch(self, job_id: int) -> Batch:
        """The batch as it was submitted."""
        with self._database.read() as connection:
            job = connection.execute(
                "SELECT model, truncate_inputs, top_k FROM jobs WHERE id = ?", (job_id,)
            ).fetchone()
            if job is None:
                raise NoSuchJob(job_id)
            rows = connection.execute(
                "SELECT data FROM requests WHERE job_id = ? ORDER BY position", (job_id,)
            ).fetchall()
            requests = tuple(request_decoder.decode(data) for (data,) in rows)
        model, truncate, top_k = job
        return Batch(requests, model, None if truncate is None else bool(truncate), top_k)

    def request(self, job_id: int, position: int) -> Request | None:
        """One request of a job, without reading the others."""
        with self._database.read() as connection:
            row = connection.execute(
                "SELECT data FROM requests WHERE job_id = ? AND position = ?", (job_id, position)
            ).fetchone()
            return None if row is None else request_decoder.decode(row[0])

    def tokens_since(self, epoch_seconds: float, backend: str) -> int:
        """Tokens of all jobs of the backend that were submitted at or after a time, deleted ones too."""
        with self._database.read() as connection:
            row = connection.execute(
                "SELECT coalesce(sum(total_tokens), 0) FROM jobs WHERE backend = ? AND submitted_at >= ?",
                (backend, epoch_seconds),
            ).fetchone()
        return int(row[0])

    def tokens_per_byte(self, model: str, backend: str) -> float | None:
        """Tokens for each byte of body, from all finished parts of the model at the backend."""
        with self._database.read() as connection:
            row = connection.execute(
                "SELECT tokens, bytes FROM token_rates WHERE backend = ? AND model = ?", (backend, model)
            ).fetchone()
        return float(row[0] / row[1]) if row is not None and row[0] and row[1] else None
