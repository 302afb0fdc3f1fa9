"""Jobs as they are submitted, listed and read."""

from collections.abc import Sequence

import msgspec

from batchtui.clock import Clock
from batchtui.jobs import judgment_store
from batchtui.jobs.database import Database
from batchtui.jobs.errors import NoSuchJob
from batchtui.jobs.hashing import text_hash, text_hashes
from batchtui.jobs.parts import PartState, PlannedPart, lane_of
from batchtui.jobs.rows import JOB_COLUMNS, read_job, storable
from batchtui.jobs.search import JobQuery, indexed_text, indexed_words, select
from batchtui.model import Batch, Job, JobState, Request

request_encoder = msgspec.msgpack.Encoder()
request_decoder = msgspec.msgpack.Decoder(Request)

LABEL_LENGTH = 200


class JobStore:
    """Reading and writing of jobs; every method is one transaction."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def insert(
        self,
        batch: Batch,
        planned: Sequence[PlannedPart],
        *,
        backend: str,
        account_id: str | None,
        label: str | None,
        takes_batches: bool,
    ) -> Job:
        """Write a checked batch as a job whose parts are all due to be sent."""
        now = self._clock.now()
        name = storable(label if label is not None else batch.requests[0].query[:LABEL_LENGTH])
        request_rows = [
            (
                position,
                text_hash(request.query),
                text_hashes([context.text for context in request.contexts]),
                request_encoder.encode(request),
            )
            for position, request in enumerate(batch.requests)
        ]
        texts = indexed_text(batch.requests)
        with self._database.write() as connection:
            job_id = connection.execute(
                "INSERT INTO jobs (revision, state, takes_batches, backend, account_id, model,"
                " truncate_inputs, top_k, label, created_at, next_ask_at, requests, contexts, parts,"
                " body_bytes) VALUES ((SELECT coalesce(max(revision), 0) + 1 FROM jobs),"
                " ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    JobState.SENDING,
                    takes_batches,
                    backend,
                    account_id,
                    batch.model,
                    batch.truncate_inputs,
                    batch.top_k,
                    name,
                    now,
                    now,
                    len(batch.requests),
                    batch.context_count,
                    len(planned),
                    sum(part.body_bytes for part in planned),
                ),
            ).lastrowid
            lane = lane_of(backend, sends=True)
            connection.executemany(
                "INSERT INTO parts (job_id, part, state, backend, lane, next_at, first_request,"
                " request_count, body_bytes) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (
                        job_id,
                        number,
                        PartState.PENDING,
                        backend,
                        lane,
                        now,
                        part.first_request,
                        part.request_count,
                        part.body_bytes,
                    )
                    for number, part in enumerate(planned)
                ],
            )
            connection.executemany(
                "INSERT INTO requests (job_id, position, query_hash, text_hashes, data)"
                " VALUES (?, ?, ?, ?, ?)",
                [(job_id, *row) for row in request_rows],
            )
            connection.execute(
                "INSERT INTO job_texts (rowid, query, contexts, reference) VALUES (?, ?, ?, ?)",
                (job_id, *texts),
            )
            connection.execute(
                "INSERT INTO job_words (rowid, label, note, model) VALUES (?, ?, '', ?)",
                (job_id, indexed_words(name), indexed_words(batch.model)),
            )
            for query_hash in judgment_store.import_relevance(connection, batch, now):
                judgment_store.update_metrics(connection, query_hash)
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
        with self._database.read() as connection:
            rows = connection.execute(
                f"SELECT {JOB_COLUMNS} FROM jobs WHERE id IN (SELECT id FROM jobs WHERE {selection.where}"
                f" ORDER BY {selection.order} LIMIT ? OFFSET ?) ORDER BY {selection.order}",
                (*selection.values, limit, offset),
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
