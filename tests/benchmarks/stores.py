"""Stores with many jobs, written in bulk as the program would have written them one by one."""

import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import msgspec

from batchtui.clock import SystemClock
from batchtui.jobs.database import Database
from batchtui.jobs.hashing import text_hash, text_hashes
from batchtui.jobs.search import indexed_text, indexed_words
from batchtui.model import DEFAULT_MODEL, Context, JobState, Request, RequestResult, rank_by_score

_TEXT = """
refund paid within days return warehouse card charged label parcel customs shipping abroad
weekday invoice account order gift voucher cancel change address courier delay broken glass
size colour
"""
WORDS = _TEXT.split()
CONTEXTS = 3


def sentence(chance: random.Random, words: int) -> str:
    """So many words."""
    return " ".join(chance.choices(WORDS, k=words))


def request_of(chance: random.Random, number: int, contexts: int, words: int) -> Request:
    """A request with contexts of about `words` words, no two alike."""
    return Request(
        f"{sentence(chance, 4)} {number}",
        tuple(Context(f"{sentence(chance, words)} {place}", f"d{place}") for place in range(contexts)),
        f"r{number}",
    )


def seed(path: Path, jobs: int, *, contexts: int = CONTEXTS, words: int = 12, open_jobs: int = 0) -> None:
    """Make a store of finished jobs of one request each; the last `open_jobs` of them are queued."""
    Database(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        for first in range(1, jobs + 1, 5000):
            numbers = range(first, min(first + 5000, jobs + 1))
            _insert(connection, list(_rows(numbers, contexts, words, jobs - open_jobs)))
    connection.close()


def _rows(numbers: range, contexts: int, words: int, last_done: int) -> Iterator[tuple[int, bool, Request]]:
    chance = random.Random(numbers.start)
    for number in numbers:
        yield number, number <= last_done, request_of(chance, number, contexts, words)


def _insert(connection: sqlite3.Connection, rows: list[tuple[int, bool, Request]]) -> None:
    now = SystemClock().now()
    newest = rows[-1][0]
    later = now + 30 * 86_400
    connection.executemany(
        "INSERT INTO jobs (id, revision, state, takes_batches, backend, model, label, created_at,"
        " submitted_at, finished_at, next_ask_at, requests, contexts, parts, parts_done, body_bytes,"
        " prompt_tokens, completion_tokens, total_tokens, request_id, scorer)"
        " VALUES (?1, ?1, ?2, 1, 'local', ?3, ?4, ?5, ?5, ?6, ?7, 1, ?8, 1, ?9, 400, ?10, 0, ?10, ?11,"
        " 'lexical')",
        [
            (
                number,
                JobState.DONE if done else JobState.QUEUED,
                DEFAULT_MODEL,
                request.query,
                now - (newest - number) * 60,
                now - (newest - number) * 60 + 2 if done else None,
                None if done else later,
                len(request.contexts),
                int(done),
                90 + number % 40,
                f"id-{number}",
            )
            for number, done, request in rows
        ],
    )
    connection.executemany(
        "INSERT INTO parts (job_id, part, state, backend, lane, next_at, first_request, request_count,"
        " body_bytes, attempts, request_id) VALUES (?, 0, ?, 'local', 3, ?, 0, 1, 400, 1, ?)",
        [
            (number, "done" if done else "queued", None if done else later, f"id-{number}")
            for number, done, _ in rows
        ],
    )
    connection.executemany(
        "INSERT INTO requests (job_id, position, query_hash, text_hashes, data) VALUES (?, 0, ?, ?, ?)",
        [
            (
                number,
                text_hash(request.query),
                text_hashes([context.text for context in request.contexts]),
                msgspec.msgpack.encode(request),
            )
            for number, _, request in rows
        ],
    )
    connection.executemany(
        "INSERT INTO results (job_id, position, success, data) VALUES (?, 0, 1, ?)",
        [
            (number, msgspec.msgpack.encode(_result_of(request, number)))
            for number, done, request in rows
            if done
        ],
    )
    connection.executemany(
        "INSERT INTO job_texts (rowid, query, contexts, reference) VALUES (?, ?, ?, ?)",
        [(number, *indexed_text((request,))) for number, _, request in rows],
    )
    connection.executemany(
        "INSERT INTO job_words (rowid, label, note, model) VALUES (?, ?, '', ?)",
        [(number, indexed_words(request.query), indexed_words(DEFAULT_MODEL)) for number, _, request in rows],
    )


def _result_of(request: Request, seed_of_scores: int) -> RequestResult:
    chance = random.Random(seed_of_scores)
    return RequestResult(
        True, rank_by_score([(place, chance.random()) for place in range(len(request.contexts))])
    )
