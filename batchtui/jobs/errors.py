"""What can go wrong with jobs, in words for a person."""

import sqlite3
from pathlib import Path


class JobsError(Exception):
    """Base of the errors of this package: what happened, and what a person can do about it."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(f"{message} {hint}".strip())
        self.message = message
        self.hint = hint


class StoreError(JobsError):
    """The store can't be opened, read or written."""


class CredentialsMissing(JobsError):  # noqa: N818
    """The backend of a job needs an account ID or a token that is not set."""


class NoSuchJob(JobsError):  # noqa: N818
    """There is no job with this number."""

    def __init__(self, job_id: int) -> None:
        super().__init__(f"There is no job {job_id}.", "See the numbers in the job list.")
        self.job_id = job_id


class InvalidBatch(JobsError):  # noqa: N818
    """A batch that can't be sent; counted from 0, `request_index` and `context_index` name the place."""

    def __init__(
        self, what: str, hint: str, request_index: int | None = None, context_index: int | None = None
    ) -> None:
        place = "" if request_index is None else f"Request {request_index + 1}"
        if context_index is not None:
            place += f", context {context_index + 1}"
        super().__init__(f"{place}: {what}." if place else f"{what}.", hint)
        self.request_index = request_index
        self.context_index = context_index


class RequestTooLarge(JobsError):  # noqa: N818
    """One request alone is over the limit of a body, in bytes, so no split can help."""

    def __init__(self, request_index: int, size: int, limit: int) -> None:
        super().__init__(
            f"Request {request_index + 1} is too large: {size:,} bytes, and {limit:,} are allowed.",
            "Give it fewer or shorter contexts, or spread them over several requests.",
        )
        self.request_index = request_index
        self.size = size
        self.limit = limit


def not_ours(path: Path) -> StoreError:
    return StoreError(
        f"{path} is a database of another program.", "Move it away, or set another data directory."
    )


def newer_schema(path: Path, found: int, known: int) -> StoreError:
    return StoreError(
        f"{path} was written by a newer batchtui (store version {found}; this one knows {known}).",
        "Update batchtui; the store was left as it is.",
    )


def damaged(path: Path, detail: str) -> StoreError:
    return StoreError(
        f"{path} is damaged ({detail}).",
        "It was left as it is. Move it and its -wal file away to begin a new store, and try"
        f" `sqlite3 {path.name} .recover` on a copy to get the jobs back.",
    )


def symlink_in_the_way(path: Path) -> StoreError:
    return StoreError(
        f"{path} is a symbolic link, and the store would be written where it points.",
        "Put the file itself there, or link the directory in its place.",
    )


def of_another_user(path: Path) -> StoreError:
    return StoreError(
        f"{path} belongs to another user, who could read and change what is in it.",
        "Run batchtui as that user, or set another data directory.",
    )


def not_writable(path: Path, detail: str) -> StoreError:
    return StoreError(
        f"{path} can't be opened for writing ({detail}).",
        "Check that the directory is yours and writable and the disk is not read-only,"
        " or set another data directory.",
    )


def from_sqlite(path: Path, error: sqlite3.Error) -> StoreError:
    """The error of the database engine as what a person can act upon."""
    code = getattr(error, "sqlite_errorcode", None)
    primary = None if code is None else code & 0xFF
    if primary in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StoreError(
            f"{path} is locked by another program.",
            "Close what holds it (a backup, a database browser, a stopped batchtui), then try again.",
        )
    if primary == sqlite3.SQLITE_FULL:
        return StoreError(f"The disk is full: {path} can't grow.", "Free some space, then try again.")
    if primary in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        return not_writable(path, str(error))
    if primary == sqlite3.SQLITE_NOTADB:
        return damaged(path, "it is not an SQLite database, or its first page is destroyed")
    if primary == sqlite3.SQLITE_CORRUPT:
        return damaged(path, str(error))
    if primary == sqlite3.SQLITE_IOERR:
        return StoreError(f"The disk failed while using {path} ({error}).", "Check the disk, then try again.")
    return StoreError(f"{path} can't be used ({error}).", "Try again; the log has the details.")
