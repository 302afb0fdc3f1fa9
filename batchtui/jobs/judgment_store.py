"""A person's grades of pairs of texts, and the metric of every job in which such a pair occurs."""

import sqlite3
from collections.abc import Sequence

import msgspec

from batchtui import evaluation
from batchtui.clock import Clock
from batchtui.jobs.database import Database
from batchtui.jobs.hashing import split_hashes, text_hash
from batchtui.model import HIGHEST_GRADE, Batch, RequestResult

LINEAR_GAIN = "linear_gain"

_result_decoder = msgspec.msgpack.Decoder(RequestResult)


class JudgmentStore:
    """Judgments by the hashes of the exact texts; they outlive the jobs."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def use_gain(self, *, linear: bool) -> None:
        """Have every nDCG@10 in the store use linear gain, or 2^grade − 1; a change makes all anew."""
        with self._database.read() as connection:
            if uses_linear_gain(connection) == linear:
                return
        with self._database.write() as connection:
            connection.execute("INSERT OR REPLACE INTO choices VALUES (?, ?)", (LINEAR_GAIN, int(linear)))
            rows = connection.execute("SELECT DISTINCT query_hash FROM judgments").fetchall()
            for (query_hash,) in rows:
                update_metrics(connection, query_hash)

    def judge(self, query: str, text: str, grade: int | None) -> None:
        """Set the grade (0 to 3) of a context for a query, or take it away with None; metrics follow."""
        if grade is not None and not 0 <= grade <= HIGHEST_GRADE:
            raise ValueError(f"a grade is 0 to {HIGHEST_GRADE}, not {grade}")
        query_hash, hashed = text_hash(query), text_hash(text)
        with self._database.write() as connection:
            if grade is None:
                connection.execute(
                    "DELETE FROM judgments WHERE query_hash = ? AND text_hash = ?", (query_hash, hashed)
                )
            else:
                connection.execute(
                    "INSERT OR REPLACE INTO judgments VALUES (?, ?, ?, ?)",
                    (query_hash, hashed, grade, self._clock.now()),
                )
            update_metrics(connection, query_hash)

    def judgments(self, query: str, texts: Sequence[str]) -> dict[int, int]:
        """The grades of those of the texts that are judged for the query, by their index."""
        with self._database.read() as connection:
            grades = grades_of(connection, text_hash(query))
        if not grades:
            return {}
        found = {index: grades.get(text_hash(text)) for index, text in enumerate(texts)}
        return {index: grade for index, grade in found.items() if grade is not None}


def import_relevance(connection: sqlite3.Connection, batch: Batch, now: float) -> set[bytes]:
    """Take the relevance of contexts as judgments where there is none; the hashes of queries touched."""
    touched: set[bytes] = set()
    for request in batch.requests:
        known = [context for context in request.contexts if context.relevance is not None]
        query_hash = text_hash(request.query) if known else b""
        for context in known:
            if context.relevance is None or not 0 <= context.relevance <= HIGHEST_GRADE:
                continue
            added = connection.execute(
                "INSERT OR IGNORE INTO judgments VALUES (?, ?, ?, ?)",
                (query_hash, text_hash(context.text), context.relevance, now),
            )
            if added.rowcount:
                touched.add(query_hash)
    return touched


def grades_of(connection: sqlite3.Connection, query_hash: bytes) -> dict[bytes, int]:
    """All grades given for a query, by the hash of the context's text."""
    rows = connection.execute("SELECT text_hash, grade FROM judgments WHERE query_hash = ?", (query_hash,))
    return dict(rows.fetchall())


def uses_linear_gain(connection: sqlite3.Connection) -> bool:
    """Whether nDCG@10 in this store is computed with linear gain."""
    row = connection.execute("SELECT value FROM choices WHERE name = ?", (LINEAR_GAIN,)).fetchone()
    return bool(row and row[0])


def ndcg_of(
    result: RequestResult, text_hashes: bytes, grades: dict[bytes, int], *, linear_gain: bool
) -> float | None:
    """nDCG@10 of one ranking; judged contexts without a score count as not found. None without judgments."""
    if not grades:
        return None
    by_index = {
        index: grades[hashed] for index, hashed in enumerate(split_hashes(text_hashes)) if hashed in grades
    }
    metrics = evaluation.evaluate_ranking(result.ranking, by_index, linear_gain=linear_gain)
    return None if metrics is None else metrics.ndcg_at_10


def update_metrics(connection: sqlite3.Connection, query_hash: bytes) -> None:
    """Bring nDCG@10 up to date in every job with this query."""
    grades = grades_of(connection, query_hash)
    rows = connection.execute(
        "SELECT results.rowid, results.job_id, results.data, requests.text_hashes, results.ndcg_at_10"
        " FROM requests JOIN results USING (job_id, position) WHERE requests.query_hash = ?",
        (query_hash,),
    ).fetchall()
    linear_gain = uses_linear_gain(connection)
    changed: set[int] = set()
    for rowid, job_id, data, hashes, before in rows:
        value = ndcg_of(_result_decoder.decode(data), hashes, grades, linear_gain=linear_gain)
        if value != before:
            connection.execute("UPDATE results SET ndcg_at_10 = ? WHERE rowid = ?", (value, rowid))
            changed.add(job_id)
    for job_id in changed:
        update_job_metric(connection, job_id)


def update_job_metric(connection: sqlite3.Connection, job_id: int) -> None:
    """The job's nDCG@10: the mean over its judged requests."""
    connection.execute(
        "UPDATE jobs SET ndcg_at_10 = (SELECT avg(ndcg_at_10) FROM results WHERE job_id = ?1),"
        " revision = (SELECT max(revision) + 1 FROM jobs) WHERE id = ?1",
        (job_id,),
    )
