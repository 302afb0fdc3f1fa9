"""The durable queue: batches in an SQLite file that several processes may share.

A process that has batches to run keeps a row in `holders` and says again and again that it is alive. A batch
that it has claimed is free for others once it no longer does, so no batch is lost with its process.
"""

import contextlib
import sqlite3
import uuid
from collections.abc import Iterator
from pathlib import Path

import msgspec

from batchtui.database_file import claim_database, distrust, make_database_private, use_write_ahead_log
from batchtui.emulator.errors import EmulatorError
from batchtui.emulator.moods import Plan

SCHEMA_VERSION = 1
ALIVE_SECONDS = 4.0
BUSY_SECONDS = 10.0

SCHEMA = """
CREATE TABLE batches (
    request_id TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    model TEXT NOT NULL,
    scorer TEXT NOT NULL,
    plan BLOB NOT NULL,
    due_at REAL NOT NULL,
    expires_at REAL NOT NULL,
    started_at REAL,
    holder TEXT,
    body BLOB,
    answer BLOB
);
CREATE INDEX open_batches ON batches (due_at) WHERE answer IS NULL;
CREATE INDEX batches_by_expiry ON batches (expires_at);
CREATE TABLE holders (
    holder TEXT PRIMARY KEY,
    scorer TEXT NOT NULL,
    alive_until REAL NOT NULL
);
"""
# A clock set back must not leave a dead holder alive: nobody says so further ahead than ALIVE_SECONDS.
ALIVE = "alive_until > :now AND alive_until <= :now + :alive"
CLAIMABLE = f"""
    answer IS NULL AND body IS NOT NULL
    AND (holder IS NULL OR holder NOT IN (SELECT holder FROM holders WHERE {ALIVE}))
    AND (scorer = :scorer OR scorer NOT IN (SELECT scorer FROM holders WHERE {ALIVE}))
"""

_plan = msgspec.msgpack.Decoder(Plan)


class Submission(msgspec.Struct, frozen=True):
    """A batch as it is put into the queue. Times are epoch seconds."""

    request_id: str
    account: str
    model: str
    plan: Plan
    body: bytes
    due_at: float
    expires_at: float


class Claimed(msgspec.Struct, frozen=True):
    """A batch that this process is to score."""

    request_id: str
    model: str
    plan: Plan
    body: bytes
    started_at: float


class Found(msgspec.Struct, frozen=True):
    """What the queue knows of a batch; `answer` is the finished answer, which may not be due yet."""

    plan: Plan
    scorer: str
    expires_at: float
    started_at: float | None
    answer: bytes | None


class Queue:
    """One process's hand on the file; not for two threads at once."""

    def __init__(self, path: Path, scorer: str) -> None:
        self._holder = str(uuid.uuid4())
        self._scorer = scorer
        self._alive_until = 0.0
        self._db = _open(path)

    def close(self) -> None:
        """Give back what was claimed and close the file."""
        with contextlib.suppress(sqlite3.Error), self._writing():
            self._db.execute(
                "UPDATE batches SET holder = NULL WHERE holder = ? AND answer IS NULL", [self._holder]
            )
            self._db.execute("DELETE FROM holders WHERE holder = ?", [self._holder])
        self._db.close()

    def add(self, batch: Submission, now: float) -> None:
        """Keep a batch; when this returns, it survives the process."""
        with self._writing():
            self._say_alive(now)
            self._db.execute(
                "INSERT INTO batches (request_id, account, model, scorer, plan, due_at, expires_at, body)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    batch.request_id,
                    batch.account,
                    batch.model,
                    self._scorer,
                    msgspec.msgpack.encode(batch.plan),
                    batch.due_at,
                    batch.expires_at,
                    batch.body,
                ],
            )

    def claim(self, now: float, limit: int) -> list[Claimed]:
        """Take up to `limit` batches that are due and nobody alive holds, the longest due first."""
        values = self._values(now) | {"holder": self._holder, "limit": limit}
        with self._writing():
            self._say_alive(now)
            rows = self._db.execute(
                f"UPDATE batches SET holder = :holder, started_at = coalesce(started_at, :now)"
                f" WHERE request_id IN (SELECT request_id FROM batches WHERE {CLAIMABLE} AND due_at <= :now"
                f" ORDER BY due_at, rowid LIMIT :limit)"
                f" RETURNING request_id, model, plan, body, started_at, due_at",
                values,
            ).fetchall()
        rows.sort(key=lambda row: row[5])
        return [Claimed(row[0], row[1], _plan_of(row[2]), row[3], row[4]) for row in rows]

    def finish(self, request_id: str, answer: bytes, expires_at: float) -> None:
        """Keep the answer of a batch in place of its body; an answer that is there already stays."""
        with self._writing():
            self._db.execute(
                "UPDATE batches SET answer = ?, expires_at = ?, scorer = ?, body = NULL, holder = NULL"
                " WHERE request_id = ? AND answer IS NULL",
                [answer, expires_at, self._scorer, request_id],
            )

    def find(self, request_id: str, account: str, model: str) -> Found | None:
        """The batch of that id, where account and model fit."""
        row = self._db.execute(
            "SELECT plan, scorer, expires_at, started_at, answer FROM batches"
            " WHERE request_id = ? AND account = ? AND model = ?",
            [request_id, account, model],
        ).fetchone()
        return None if row is None else Found(_plan_of(row[0]), row[1], row[2], row[3], row[4])

    def next_due(self, now: float) -> float | None:
        """When the next batch that could be claimed is due; None where there is none."""
        row = self._db.execute(
            f"SELECT min(due_at) FROM batches WHERE {CLAIMABLE}", self._values(now)
        ).fetchone()
        due: float | None = row[0]
        return due

    def say_alive(self, now: float) -> None:
        """Keep what this process has claimed for the next seconds."""
        with self._writing():
            self._say_alive(now)

    def forget_expired(self, now: float) -> None:
        """Drop batches that have expired and holders long dead, and give their space back."""
        with self._writing():
            dropped = self._db.execute("DELETE FROM batches WHERE expires_at <= ?", [now]).rowcount
            self._db.execute("DELETE FROM holders WHERE alive_until < ?", [now - 60 * ALIVE_SECONDS])
        if dropped:
            # Each step gives back one page, and only a script is stepped to its end.
            self._db.executescript("PRAGMA incremental_vacuum")

    def _say_alive(self, now: float) -> None:
        # Said often enough already where most of the time is still to come; each time costs a write.
        if ALIVE_SECONDS / 2 < self._alive_until - now <= ALIVE_SECONDS:
            return
        self._alive_until = now + ALIVE_SECONDS
        self._db.execute(
            "INSERT INTO holders (holder, scorer, alive_until) VALUES (?, ?, ?)"
            " ON CONFLICT (holder) DO UPDATE SET alive_until = excluded.alive_until",
            [self._holder, self._scorer, self._alive_until],
        )

    def _values(self, now: float) -> dict[str, float | str]:
        return {"now": now, "alive": ALIVE_SECONDS, "scorer": self._scorer}

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")


def _plan_of(data: object) -> Plan:
    """The plan as it was kept; where that can't be read, one by which its batch fails."""
    try:
        return _plan.decode(data)  # type: ignore[arg-type]
    except (msgspec.MsgspecError, TypeError, ValueError):
        return Plan(failed="AiError: the plan of this batch in the emulator's queue is damaged")


def _open(path: Path) -> sqlite3.Connection:
    """Open or make the file. Raises EmulatorError, which names it."""
    try:
        claim_database(path)
        db = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            distrust(db)
            # Nothing of a file is changed before it is known as a queue.
            _version(db, path)
            make_database_private(path)
            _prepare(db, path)
            make_database_private(path)
        except BaseException:
            db.close()
            raise
        return db
    except sqlite3.Error as error:
        place, words = path, str(error)
    except OSError as error:
        place, words = error.filename or path, error.strerror or str(error)
    # Not as the cause of this: who looks for causes would tell that alone, without the place.
    raise EmulatorError(
        f"cannot use the emulator's queue {place}: {words}; move that file away, or name another"
    )


def _version(db: sqlite3.Connection, path: Path) -> int:
    """The version of the queue in the file, 0 for an empty one. Raises EmulatorError for any other file."""
    version, tables = db.execute(
        "SELECT user_version, (SELECT group_concat(name) FROM sqlite_schema WHERE type = 'table')"
        " FROM pragma_user_version"
    ).fetchone()
    if version == 0 and tables is None:
        return 0
    if version < 1 or not {"batches", "holders"} <= set((tables or "").split(",")):
        raise EmulatorError(f"{path} is a database of another program; name another file")
    if version > SCHEMA_VERSION:
        raise EmulatorError(
            f"the emulator's queue {path} is of a newer batchtui; update this one, or move the file away"
        )
    # A queue of ours has none, and one of others would run, or be read, as if it were ours.
    strangers = "SELECT name FROM sqlite_schema WHERE type IN ('trigger', 'view')"
    if (stranger := db.execute(strangers).fetchone()) is not None:
        raise EmulatorError(
            f"the emulator's queue {path} holds {stranger[0]!r}, which is not of batchtui; move the file away"
        )
    return int(version)


def _prepare(db: sqlite3.Connection, path: Path) -> None:
    db.execute("PRAGMA auto_vacuum = INCREMENTAL")
    use_write_ahead_log(db)
    db.execute("PRAGMA synchronous = FULL")
    db.execute("BEGIN IMMEDIATE")
    if _version(db, path) == 0:
        for statement in SCHEMA.split(";"):
            db.execute(statement)
        db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    db.execute("COMMIT")
