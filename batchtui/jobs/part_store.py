"""What is recorded of each part: its requests to send, and the outcome of every call."""

import sqlite3

import msgspec

from batchtui.clock import Clock
from batchtui.jobs.database import Database
from batchtui.jobs.job_store import request_decoder
from batchtui.jobs.judgment_store import grades_of, ndcg_of, update_job_metric, uses_linear_gain
from batchtui.jobs.outcomes import Again, Ended, Finished, Outcome, Waiting
from batchtui.jobs.parts import Part, PartState, lane_of
from batchtui.jobs.rows import decode_error, encode_error, storable
from batchtui.jobs.transitions import NEXT_IF_FOLLOWED, refresh_job
from batchtui.model import Batch, Request, RequestResult, Usage

RAW_OF_ERRORS = 65_536
"""Of an answer that was no answer, so many bytes are kept."""

_FREE = "lease_owner = NULL, lease_until = NULL"
_result_encoder = msgspec.msgpack.Encoder()
_result_decoder = msgspec.msgpack.Decoder(RequestResult)


class RawAnswer(msgspec.Struct, frozen=True):
    """An answer as it came; `kind` is `answer` (of the finished part), `submit`, or `error` (the last)."""

    part: int
    kind: str
    received_at: float
    body: bytes


class PartStore:
    """Reading what a part sends, recording what came of it, reading what came back."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def batch_of(self, part: Part) -> Batch:
        """The requests of one part, as a batch with the job's settings."""
        with self._database.read() as connection:
            settings = connection.execute(
                "SELECT truncate_inputs, top_k FROM jobs WHERE id = ?", (part.job_id,)
            ).fetchone()
            rows = connection.execute(
                "SELECT data FROM requests WHERE job_id = ? AND position BETWEEN ? AND ? ORDER BY position",
                (part.job_id, part.first_request, part.first_request + part.request_count - 1),
            ).fetchall()
            requests: tuple[Request, ...] = tuple(request_decoder.decode(data) for (data,) in rows)
        truncate, top_k = settings
        return Batch(requests, part.model, None if truncate is None else bool(truncate), top_k)

    def record(self, part: Part, outcome: Outcome) -> bool:
        """Write what came of a call; False where the part has moved on in the meantime."""
        now = self._clock.now()
        durable = not isinstance(outcome, Waiting) or outcome.request_id is not None
        with self._database.write(durable=durable) as connection:
            if not _still_ours(connection, part, outcome):
                return False
            match outcome:
                case Waiting():
                    _record_waiting(connection, part, outcome, now)
                case Finished():
                    _record_finished(connection, part, outcome, now)
                case Ended():
                    _record_ended(connection, part, outcome, now)
                case Again():
                    _record_again(connection, part, outcome, now)
            refresh_job(connection, part.job_id, now)
        return True

    def results(self, job_id: int) -> tuple[RequestResult, ...] | None:
        """One result for each request in order, also where there is no answer yet; None before the first."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT position, data FROM results WHERE job_id = ? ORDER BY position", (job_id,)
            ).fetchall()
            if not rows:
                return None
            parts = connection.execute(
                "SELECT first_request, request_count, state, error FROM parts WHERE job_id = ? ORDER BY part",
                (job_id,),
            ).fetchall()
            found = {position: _result_decoder.decode(data) for position, data in rows}
            (requests,) = connection.execute("SELECT requests FROM jobs WHERE id = ?", (job_id,)).fetchone()
            if sum(part[1] for part in parts) != requests:
                raise ValueError("the parts of a job do not make up the whole")
            return tuple(
                found.get(position) or _unanswered(state, error)
                for first, count, state, error in parts
                for position in range(first, first + count)
            )

    def result(self, job_id: int, position: int) -> RequestResult | None:
        """The result of one request, without reading the others; None while there is none."""
        with self._database.read() as connection:
            row = connection.execute(
                "SELECT data FROM results WHERE job_id = ? AND position = ?", (job_id, position)
            ).fetchone()
            if row is not None:
                return _result_decoder.decode(row[0])
            part = connection.execute(
                "SELECT parts.state, parts.error FROM parts WHERE job_id = ?1"
                " AND first_request <= ?2 AND first_request + request_count > ?2"
                " AND EXISTS (SELECT 1 FROM results WHERE job_id = ?1)",
                (job_id, position),
            ).fetchone()
            return None if part is None else _unanswered(*part)

    def raw_answers(self, job_id: int) -> list[RawAnswer]:
        """All that is kept of what the service answered, by part, to the byte."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT part, kind, received_at, body FROM raw_answers WHERE job_id = ?"
                " ORDER BY part, received_at",
                (job_id,),
            ).fetchall()
        return [RawAnswer(*row) for row in rows]


def _unanswered(state: str, error: str | None) -> RequestResult:
    told = decode_error(error)
    return RequestResult(False, error=told.message if told else f"no answer yet ({state})")


def _still_ours(connection: sqlite3.Connection, part: Part, outcome: Outcome) -> bool:
    row = connection.execute(
        "SELECT state, attempts, request_id FROM parts WHERE job_id = ? AND part = ?",
        (part.job_id, part.part),
    ).fetchone()
    if row is None or row[1] != part.attempts:
        return False
    state = PartState(row[0])
    if part.state in (PartState.QUEUED, PartState.RUNNING):
        return state in (PartState.QUEUED, PartState.RUNNING) and row[2] == part.request_id
    if isinstance(outcome, (Waiting, Finished)):
        # The answer is known after all, though another process has given the sender up for dead.
        return state in (PartState.IN_FLIGHT, PartState.UNCONFIRMED, PartState.PENDING)
    return state is part.state


def _record_waiting(connection: sqlite3.Connection, part: Part, outcome: Waiting, now: float) -> None:
    connection.execute(
        "UPDATE parts SET state = ?, lane = ?, asked_at = ?, failures = 0, error = NULL, problem = NULL,"
        " request_id = coalesce(?, request_id), submitted_at = coalesce(submitted_at, ?),"
        f" next_at = {NEXT_IF_FOLLOWED}, {_FREE} WHERE job_id = ? AND part = ?",
        (
            outcome.state,
            lane_of(part.backend, sends=False),
            now,
            outcome.request_id,
            now,
            outcome.next_at,
            part.job_id,
            part.part,
        ),
    )
    _note_submitted(connection, part, now)
    if outcome.raw is not None:
        _keep_raw(connection, part, "submit", now, outcome.raw)


def _record_finished(connection: sqlite3.Connection, part: Part, outcome: Finished, now: float) -> None:
    failed = sum(not result.success for result in outcome.results)
    connection.execute(
        "UPDATE parts SET state = ?, next_at = NULL, asked_at = ?, failures = 0, failed_requests = ?,"
        f" error = ?, problem = ?, submitted_at = coalesce(submitted_at, ?), {_FREE}"
        " WHERE job_id = ? AND part = ?",
        (
            PartState.DONE,
            now,
            failed,
            encode_error(outcome.error),
            encode_error(outcome.problem),
            now,
            part.job_id,
            part.part,
        ),
    )
    _note_submitted(connection, part, now)
    _keep_raw(connection, part, "answer", now, outcome.raw)
    _insert_results(connection, part, outcome.results)
    connection.execute(
        "UPDATE jobs SET scorer = coalesce(?, scorer) WHERE id = ?", (outcome.scorer, part.job_id)
    )
    if outcome.usage is not None:
        _add_usage(connection, part, outcome.usage)


def _record_ended(connection: sqlite3.Connection, part: Part, outcome: Ended, now: float) -> None:
    failed = 0 if outcome.state is PartState.UNCONFIRMED else part.request_count
    connection.execute(
        "UPDATE parts SET state = ?, next_at = NULL, asked_at = ?, failed_requests = ?, error = ?,"
        f" problem = NULL, {_FREE} WHERE job_id = ? AND part = ?",
        (outcome.state, now, failed, encode_error(outcome.error), part.job_id, part.part),
    )
    if outcome.raw is not None:
        _keep_raw(connection, part, "error", now, outcome.raw[:RAW_OF_ERRORS])


def _record_again(connection: sqlite3.Connection, part: Part, outcome: Again, now: float) -> None:
    state = PartState.PENDING if part.lane.sends else part.state
    connection.execute(
        f"UPDATE parts SET state = ?, next_at = {NEXT_IF_FOLLOWED}, asked_at = ?, failures = failures + 1,"
        f" problem = ?, {_FREE} WHERE job_id = ? AND part = ?",
        (state, outcome.next_at, now, encode_error(outcome.problem), part.job_id, part.part),
    )
    if outcome.raw is not None:
        _keep_raw(connection, part, "error", now, outcome.raw[:RAW_OF_ERRORS])


def _note_submitted(connection: sqlite3.Connection, part: Part, now: float) -> None:
    connection.execute(
        "UPDATE jobs SET submitted_at = coalesce(submitted_at, ?) WHERE id = ?", (now, part.job_id)
    )


def _keep_raw(connection: sqlite3.Connection, part: Part, kind: str, now: float, body: bytes) -> None:
    connection.execute(
        "INSERT OR REPLACE INTO raw_answers VALUES (?, ?, ?, ?, ?)", (part.job_id, part.part, kind, now, body)
    )


def _insert_results(connection: sqlite3.Connection, part: Part, results: tuple[RequestResult, ...]) -> None:
    judged = False
    linear_gain = uses_linear_gain(connection)
    for position, result in enumerate(results, part.first_request):
        query_hash, hashes = connection.execute(
            "SELECT query_hash, text_hashes FROM requests WHERE job_id = ? AND position = ?",
            (part.job_id, position),
        ).fetchone()
        ndcg = ndcg_of(result, hashes, grades_of(connection, query_hash), linear_gain=linear_gain)
        judged = judged or ndcg is not None
        connection.execute(
            "INSERT OR REPLACE INTO results (job_id, position, success, ndcg_at_10, data)"
            " VALUES (?, ?, ?, ?, ?)",
            (part.job_id, position, result.success, ndcg, _result_encoder.encode(whole(result))),
        )
    if judged:
        update_job_metric(connection, part.job_id)


def whole(result: RequestResult) -> RequestResult:
    """The result with its texts fit to be stored."""
    return msgspec.structs.replace(
        result,
        error=None if result.error is None else storable(result.error),
        problems=tuple(map(storable, result.problems)),
    )


def _add_usage(connection: sqlite3.Connection, part: Part, usage: Usage) -> None:
    connection.execute(
        "UPDATE jobs SET prompt_tokens = coalesce(prompt_tokens, 0) + ?,"
        " completion_tokens = coalesce(completion_tokens, 0) + ?,"
        " total_tokens = coalesce(total_tokens, 0) + ? WHERE id = ?",
        (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens, part.job_id),
    )
    connection.execute(
        "INSERT INTO token_rates SELECT ?, ?, ?, body_bytes FROM parts WHERE job_id = ? AND part = ?"
        " ON CONFLICT DO UPDATE SET tokens = tokens + excluded.tokens, bytes = bytes + excluded.bytes",
        (part.backend, part.model, usage.total_tokens, part.job_id, part.part),
    )
