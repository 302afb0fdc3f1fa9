"""Batches in: what form an input has is told by its content first and its name second."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from batchtui.exchange.curl_reader import is_curl, read_curl
from batchtui.exchange.json_reader import (
    is_json,
    is_lines_of_json,
    read_json_document,
    read_json_lines,
    starts_like_json,
)
from batchtui.exchange.source import InputError, Limits, ReadingCancelledError, Source
from batchtui.exchange.splitting import split_text
from batchtui.exchange.table_reader import is_table, read_table
from batchtui.model import Batch, Request

__all__ = ["Form", "InputError", "Limits", "Opened", "ReadingCancelledError", "read_batches"]

Form = Literal["json", "jsonl", "csv", "tsv", "text", "curl"]

_FORM_OF_SUFFIX: dict[str, Form] = {
    "json": "json",
    "jsonl": "jsonl",
    "ndjson": "jsonl",
    "csv": "csv",
    "tsv": "tsv",
    "tab": "tsv",
}
_UTF8_MARK = b"\xef\xbb\xbf"
_OTHER_MARKS = (
    (b"\xff\xfe\x00\x00", "UTF-32"),
    (b"\x00\x00\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)
_OTHER_FILES = (
    (b"PK\x03\x04", "a zip archive or an office document", "export it as CSV or JSONL"),
    (b"\x1f\x8b", "a gzip archive", "unpack it first"),
    (b"BZh", "a bzip2 archive", "unpack it first"),
    (b"\xfd7zXZ\x00", "an xz archive", "unpack it first"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive", "unpack it first"),
    (b"%PDF-", "a PDF", "export its text"),
    (b"SQLite format 3\x00", "a SQLite database", "export it as CSV or JSONL"),
    (b"PAR1", "a Parquet file", "export it as CSV or JSONL"),
)
_BYTES_LOOKED_AT = 4096
_OPENS_LIKE_JSON = re.compile(rb"""[ \t\r\n]*[\[{][ \t\r\n]*["{]""")


@dataclass(frozen=True)
class Opened:
    """What an input holds: its form and its batch, all of it.

    `needs_query` says that its only request has no query yet. `names_model` says that the batch's model
    stands in the input and is not the default. `notes` are sentences on what was left out or guessed.
    """

    form: Form
    batch: Batch
    needs_query: bool = False
    names_model: bool = False
    notes: tuple[str, ...] = ()


def read_batches(
    data: bytes,
    *,
    name: str = "",
    limits: Limits = Limits(),  # noqa: B008 - it is frozen
    on_progress: Callable[[int, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Opened:
    """Read an input of any known form; all of it or an error.

    `on_progress` is told bytes done and bytes in all, now and then; `cancelled` is asked as often.
    Raises InputError for what cannot be read and ReadingCancelledError where the person stopped it.
    """
    if len(data) > limits.bytes:
        raise Source(b"", name).error(
            f"it has {len(data):,} bytes, more than {limits.bytes:,}", "make it several files"
        )
    source = Source(data.removeprefix(_UTF8_MARK), name, limits, on_progress, cancelled)
    _refuse_what_is_no_text(source)
    form = recognise(source.data, name)
    opened = _open_table(source, form) if form in ("csv", "tsv") else _READERS[form](source)
    if opened.batch.context_count == 0:
        raise source.error("there is nothing in it to rank", "give a query and contexts")
    source.advance(len(source.data))
    return opened


def recognise(data: bytes, name: str = "") -> Form:
    """The form of an input without a byte order mark."""
    named = _FORM_OF_SUFFIX.get(name.rpartition(".")[2].lower()) if "." in name else None
    if starts_like_json(data):
        return _json_form(data, named)
    if is_curl(data):
        return "curl"
    table = is_table(data, by_name=named in ("csv", "tsv"))
    if table is not None:
        return table
    return named or "text"


def _json_form(data: bytes, named: Form | None) -> Form:
    if is_lines_of_json(data):
        return "jsonl"
    if named == "jsonl":
        return "jsonl" if _is_one_line_object(data) or not is_json(data) else "json"
    if named == "json" or _OPENS_LIKE_JSON.match(data) or is_json(data):
        return "json"
    return named or "text"


def _is_one_line_object(data: bytes) -> bool:
    line = data.strip()
    return line.startswith(b"{") and b"\n" not in line


def _refuse_what_is_no_text(source: Source) -> None:
    data = source.data
    if not data.strip():
        raise source.error("it is empty", "give a query and contexts")
    for mark, encoding in _OTHER_MARKS:
        if data.startswith(mark):
            raise source.error(f"it is {encoding}", "save it as UTF-8")
    for mark, what, remedy in _OTHER_FILES:
        if data.startswith(mark):
            raise source.error(f"it is {what}", remedy)
    null = data.find(b"\0")
    if null >= 0:
        start = data[:_BYTES_LOOKED_AT]
        if start.count(b"\0") > len(start) // 3 + 1:
            raise source.error("it looks like UTF-16", "save it as UTF-8")
        raise source.error("there is a NUL byte in it", "is it a text? remove the byte", byte=null)


def _open_json(source: Source) -> Opened:
    collector = read_json_document(source)
    batch, needs_query = collector.batch()
    return Opened("json", batch, needs_query, "model" in collector.settings, collector.notes())


def _open_json_lines(source: Source) -> Opened:
    collector = read_json_lines(source)
    batch, needs_query = collector.batch()
    return Opened("jsonl", batch, needs_query, "model" in collector.settings, collector.notes())


def _open_curl(source: Source) -> Opened:
    collector = read_curl(source)
    batch, needs_query = collector.batch()
    return Opened("curl", batch, needs_query, "model" in collector.settings, collector.notes())


def _open_table(source: Source, form: Form) -> Opened:
    read = read_table(source)
    return Opened(form, Batch(read.requests), read.needs_query, False, read.notes)


def _open_text(source: Source) -> Opened:
    source.check_lines()
    choices = split_text(source.text)
    if not choices:
        raise source.error("there is nothing but blank space in it", "give a query and contexts")
    choice = choices[0]
    if choice.count > source.limits.contexts:
        raise source.error(
            f"there are {choice.count:,} contexts, more than {source.limits.contexts:,}",
            "make it several files",
        )
    return Opened("text", Batch((Request("", choice.contexts),)), True, False, (choice.note,))


_READERS: dict[Form, Callable[[Source], Opened]] = {
    "json": _open_json,
    "jsonl": _open_json_lines,
    "curl": _open_curl,
    "text": _open_text,
}
