"""One SQLite file, opened with care: whose it is, which version, one connection a thread, one writer."""

import os
import sqlite3
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from batchtui.jobs import errors
from batchtui.jobs.schema import APPLICATION_ID, MIGRATIONS

BUSY_SECONDS = 5.0
_OPEN_TRIES = 20


class _Connection(sqlite3.Connection):
    """A connection that can be referred to weakly, so that it is closed when its thread ends."""


class Database:
    """Connections to the store; every method may be called from any thread.

    Readers never wait for a writer (WAL). Errors of the engine come out as `StoreError`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._local = threading.local()
        self._connections: weakref.WeakSet[_Connection] = weakref.WeakSet()
        self._guard = threading.Lock()
        self._writing = threading.Lock()
        self._watching = threading.Lock()
        self._on_write: list[Callable[[], None]] = []
        self._closed = False
        _claim_file(path)
        try:
            with self._errors():
                self._prepare()
                self._watch = self._connect()
        except BaseException:
            self.close()
            raise

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """A connection in one consistent view of the store."""
        with self._errors():
            connection = self._connection()
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    @contextmanager
    def write(self, *, durable: bool = True) -> Iterator[sqlite3.Connection]:
        """A transaction that is all written or not at all; `durable` ones outlive a loss of power too."""
        with self._errors(), self._writing:
            connection = self._connection()
            connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
        for listener in list(self._on_write):
            listener()

    def on_write(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Have `listener` called, in the writing thread, after each write here; returns what ends it."""
        self._on_write.append(listener)
        return lambda: self._on_write.remove(listener)

    def version(self) -> int:
        """A number that changes whenever any process has written."""
        with self._errors(), self._watching:
            row = self._watch.execute("PRAGMA data_version").fetchone()
            return int(row[0])

    def close(self) -> None:
        """Close every connection; a later use raises `StoreError`."""
        with self._guard:
            self._closed = True
            connections = list(self._connections)
            self._connections.clear()
        for connection in connections:
            connection.close()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            if self._closed:
                raise errors.StoreError(f"{self.path} is closed.") from error
            raise errors.from_sqlite(self.path, error) from error
        except msgspec.MsgspecError as error:
            raise errors.damaged(self.path, str(error)) from error

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None or self._closed:
            connection = self._local.connection = self._connect()
        return connection

    def _connect(self) -> sqlite3.Connection:
        with self._guard:
            if self._closed:
                raise errors.StoreError(f"{self.path} is closed.")
            connection = sqlite3.connect(
                self.path,
                timeout=BUSY_SECONDS,
                isolation_level=None,
                check_same_thread=False,
                factory=_Connection,
            )
            self._connections.add(connection)
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA cache_size = -4096")
        connection.execute("PRAGMA journal_size_limit = 67108864")
        return connection

    def _prepare(self) -> None:
        connection = self._connection()
        version = _version(connection, self.path)
        _use_write_ahead_log(connection)
        if version == len(MIGRATIONS):
            return
        with self.write() as connection:
            version = _version(connection, self.path)
            for number in range(version, len(MIGRATIONS)):
                for statement in MIGRATIONS[number]:
                    connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")


def _claim_file(path: Path) -> None:
    """Have a file that only its owner can read, in a directory of which the same is true where we make it."""
    try:
        missing = [directory for directory in (path.parent, *path.parent.parents) if not directory.exists()]
        for directory in reversed(missing):
            directory.mkdir(mode=0o700, exist_ok=True)
        if path.is_symlink():
            raise errors.symlink_in_the_way(path)
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
        descriptor = os.open(path, flags, 0o600)
        status = os.fstat(descriptor)
        os.close(descriptor)
        if hasattr(os, "geteuid") and status.st_uid != os.geteuid():
            raise errors.of_another_user(path)
        if status.st_mode & 0o077:
            path.chmod(0o600)
    except OSError as error:
        raise errors.not_writable(path, error.strerror or str(error)) from error


def _version(connection: sqlite3.Connection, path: Path) -> int:
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    application = int(connection.execute("PRAGMA application_id").fetchone()[0])
    if application != APPLICATION_ID:
        empty = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] == 0
        if application or version or not empty:
            raise errors.not_ours(path)
    if version > len(MIGRATIONS):
        raise errors.newer_schema(path, version, len(MIGRATIONS))
    return version


def _use_write_ahead_log(connection: sqlite3.Connection) -> None:
    """Switch to WAL; the switch does not wait for others that do the same, so it is tried a few times."""
    for attempt in range(_OPEN_TRIES):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or attempt == _OPEN_TRIES - 1:
                raise
            time.sleep(0.05)
