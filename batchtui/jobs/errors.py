"""What can go wrong with jobs, in words for a person."""

import sqlite3
from itertools import count
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
    import shlex

    number = next(number for number in count(1) if not _aside(path, number).exists())
    aside = shlex.quote(str(_aside(path, number)))
    # The -wal file may be there by then or not, so the shell finds what there is.
    files = shlex.quote(str(path)) + "*"
    return StoreError(
        f"{path} is damaged ({detail}).",
        f"It was left as it is. Begin a new store with `mkdir {aside} && mv {files} {aside}`, and try"
        f" `sqlite3 {path.name} .recover` on a copy to get the jobs back.",
    )


def _aside(path: Path, number: int) -> Path:
    return path.with_name(f"damaged-{number}")


def not_claimed(path: Path, error: OSError) -> StoreError:
    """What is in the way of the store, in the words of what found it."""
    place = error.filename if isinstance(error.filename, str) else str(path)
    return not_writable(path, error.strerror or str(error), place)


def not_writable(path: Path, detail: str, place: str = "") -> StoreError:
    at = f"{place}: " if place not in ("", str(path)) else ""
    return StoreError(
        f"{path} can't be opened for writing ({at}{detail}).",
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
    gone = primary == sqlite3.SQLITE_ERROR and str(error).startswith("no such ")
    # Of a text that is not UTF-8 Python itself complains.
    undecodable = primary is None and isinstance(error, sqlite3.OperationalError)
    if primary == sqlite3.SQLITE_CORRUPT or gone or undecodable:
        return damaged(path, str(error))
    if primary == sqlite3.SQLITE_IOERR:
        return StoreError(f"The disk failed while using {path} ({error}).", "Check the disk, then try again.")
    return StoreError(f"{path} can't be used ({error}).", "Try again; the log has the details.")
