"""How a batch becomes the rows of a job: prepared first, so that the writing itself is short."""

import sqlite3
from dataclasses import dataclass

import msgspec

from batchtui.jobs.hashing import text_hash, text_hashes
from batchtui.jobs.judgment_store import import_relevance, update_metrics
from batchtui.jobs.parts import PartState, PlannedPart, lane_of
from batchtui.jobs.rows import storable
from batchtui.jobs.search import indexed_text, indexed_words
from batchtui.model import Batch, JobState

LABEL_LENGTH = 200
"""Characters of the first query that name a job that was given no label."""

_encoder = msgspec.msgpack.Encoder()


@dataclass(frozen=True)
class Submission:
    """A checked batch with all that is written of it."""

    batch: Batch
    planned: list[PlannedPart]
    backend: str
    account_id: str | None
    label: str
    takes_batches: bool
    requests: list[tuple[int, bytes, bytes, bytes]]
    texts: tuple[str, str, str]


def prepare(
    batch: Batch,
    planned: list[PlannedPart],
    *,
    backend: str,
    account_id: str | None,
    label: str | None,
    takes_batches: bool,
) -> Submission:
    """Hash, encode and index the texts of a checked batch; this is most of the work of a submit."""
    requests = [
        (
            position,
            text_hash(request.query),
            text_hashes([context.text for context in request.contexts]),
            _encoder.encode(request),
        )
        for position, request in enumerate(batch.requests)
    ]
    name = storable(label if label is not None else batch.requests[0].query[:LABEL_LENGTH])
    texts = indexed_text(batch.requests)
    return Submission(batch, planned, backend, account_id, name, takes_batches, requests, texts)


def insert(connection: sqlite3.Connection, submission: Submission, now: float) -> int:
    """Write the job with its parts, all due to be sent; its number."""
    job_id = _insert_job(connection, submission, now)
    _insert_parts(connection, job_id, submission, now)
    connection.executemany(
        "INSERT INTO requests (job_id, position, query_hash, text_hashes, data) VALUES (?, ?, ?, ?, ?)",
        [(job_id, *row) for row in submission.requests],
    )
    connection.execute(
        "INSERT INTO job_texts (rowid, query, contexts, reference) VALUES (?, ?, ?, ?)",
        (job_id, *submission.texts),
    )
    connection.execute(
        "INSERT INTO job_words (rowid, label, note, model) VALUES (?, ?, '', ?)",
        (job_id, indexed_words(submission.label), indexed_words(submission.batch.model)),
    )
    for query_hash in import_relevance(connection, submission.batch, now):
        update_metrics(connection, query_hash)
    return job_id


def _insert_job(connection: sqlite3.Connection, submission: Submission, now: float) -> int:
    batch = submission.batch
    values = {
        "state": JobState.SENDING,
        "takes_batches": submission.takes_batches,
        "backend": submission.backend,
        "account_id": submission.account_id,
        "model": batch.model,
        "truncate_inputs": batch.truncate_inputs,
        "top_k": batch.top_k,
        "label": submission.label,
        "created_at": now,
        "next_ask_at": now,
        "requests": len(batch.requests),
        "contexts": batch.context_count,
        "parts": len(submission.planned),
        "body_bytes": sum(part.body_bytes for part in submission.planned),
    }
    row = connection.execute(
        f"INSERT INTO jobs (revision, {', '.join(values)})"
        f" VALUES ((SELECT coalesce(max(revision), 0) + 1 FROM jobs), {', '.join('?' * len(values))})"
        " RETURNING id",
        tuple(values.values()),
    ).fetchone()
    return int(row[0])


def _insert_parts(connection: sqlite3.Connection, job_id: int, submission: Submission, now: float) -> None:
    backend, lane = submission.backend, lane_of(submission.backend, sends=True)
    connection.executemany(
        "INSERT INTO parts (job_id, part, state, backend, lane, next_at, first_request, request_count,"
        " body_bytes) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
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
            for number, part in enumerate(submission.planned)
        ],
    )
