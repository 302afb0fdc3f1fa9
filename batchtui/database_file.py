"""What every SQLite file of ours needs: it is this user's alone, and what it holds runs nothing."""

import os
import sqlite3
import sys
import time
from pathlib import Path

from batchtui.files import make_missing_directories, private_opener, refuse_unsafe, refuse_unsafe_directory

_SWITCH_TRIES = 20


def claim_database(path: Path) -> None:
    """Have a file at `path`, and nothing there or beside it that is not a plain file of this user's own.

    What was there stays as it is, so that it can be looked at first. Raises OSError that names what is wrong.
    """
    make_missing_directories(path.parent)
    refuse_unsafe_directory(path.parent)
    _files_of(path)
    if not path.exists():
        os.close(private_opener(str(path), os.O_RDWR | os.O_CREAT))


def make_database_private(path: Path) -> None:
    """Mode 0600 for the file and for those that SQLite has put beside it. Raises OSError as claiming does."""
    for file, status in _files_of(path):
        if status.st_mode & 0o177:
            file.chmod(0o600)


def distrust(connection: sqlite3.Connection) -> None:
    """Have the connection trust nothing that the file says of itself."""
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA cell_size_check = ON")
    if sys.version_info >= (3, 12):
        connection.setconfig(sqlite3.SQLITE_DBCONFIG_DEFENSIVE, True)


def use_write_ahead_log(connection: sqlite3.Connection) -> None:
    """Switch to WAL; the switch does not wait for others that do the same, so it is tried a few times."""
    for attempt in range(_SWITCH_TRIES):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or attempt == _SWITCH_TRIES - 1:
                raise
            time.sleep(0.05)


def _files_of(path: Path) -> list[tuple[Path, os.stat_result]]:
    """The database and those beside it that are there, each of them safe."""
    found = []
    for ending in ("", "-wal", "-shm", "-journal"):
        file = path.with_name(path.name + ending)
        try:
            status = file.lstat()
        except FileNotFoundError:
            continue
        refuse_unsafe(status, file)
        found.append((file, status))
    return found
