"""One SQLite file, opened with care: whose it is, which version, one connection a thread, one writer."""

import sqlite3
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from batchtui.database_file import claim_database, distrust, make_database_private, use_write_ahead_log
from batchtui.jobs import errors
from batchtui.jobs.schema import APPLICATION_ID, MIGRATIONS

BUSY_SECONDS = 5.0


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
        _claim(path)
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
            except UnicodeError:
                raise
            except (TypeError, ValueError) as error:
                # What is there is what batchtui wrote, unless someone else wrote it.
                raise errors.damaged(self.path, f"{type(error).__name__}: {error}") from error
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
        distrust(connection)
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA cache_size = -4096")
        connection.execute("PRAGMA journal_size_limit = 67108864")
        return connection

    def _prepare(self) -> None:
        connection = self._connection()
        # Nothing of a file is changed before it is known as ours.
        connection.execute("BEGIN")
        version = _version(connection, self.path)
        connection.execute("ROLLBACK")
        self._make_private()
        use_write_ahead_log(connection)
        if version < len(MIGRATIONS):
            self._migrate()
        self._make_private()

    def _make_private(self) -> None:
        try:
            make_database_private(self.path)
        except OSError as error:
            raise errors.not_claimed(self.path, error) from error

    def _migrate(self) -> None:
        with self.write() as connection:
            version = _version(connection, self.path)
            for number in range(version, len(MIGRATIONS)):
                for statement in MIGRATIONS[number]:
                    connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")


def _claim(path: Path) -> None:
    try:
        claim_database(path)
        log = path.with_name(f"{path.name}-wal")
        # SQLite would delete what was written last beside a file that has nothing in it.
        if path.stat().st_size == 0 and log.exists() and log.stat().st_size > 0:
            raise errors.damaged(path, "it is empty, and its -wal file is not")
    except OSError as error:
        raise errors.not_claimed(path, error) from error


def _version(connection: sqlite3.Connection, path: Path) -> int:
    """The version of the store in the file, 0 for an empty one. Raises StoreError for any other file."""
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    application = int(connection.execute("PRAGMA application_id").fetchone()[0])
    if application != APPLICATION_ID:
        empty = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] == 0
        if application or version or not empty:
            raise errors.not_ours(path)
    if version < 0:
        raise errors.damaged(path, f"it says that its version is {version}")
    if version > len(MIGRATIONS):
        raise errors.newer_schema(path, version, len(MIGRATIONS))
    _refuse_strangers(connection, path, version)
    return version


def _refuse_strangers(connection: sqlite3.Connection, path: Path, version: int) -> None:
    """Raise StoreError for a trigger or a view that is not ours: it would run, or be read, as if it were."""
    ours = {" ".join(statement.split()) for step in MIGRATIONS[:version] for statement in step}
    found = connection.execute(
        "SELECT type, name, sql FROM sqlite_schema WHERE type IN ('trigger', 'view')"
    ).fetchall()
    for kind, name, statement in found:
        if " ".join(str(statement).split()) not in ours:
            raise errors.damaged(path, f"it has a {kind} that is not of batchtui, {name!r}")
