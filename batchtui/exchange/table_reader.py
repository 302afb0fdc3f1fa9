"""CSV and TSV in: columns by name, rows gathered into requests."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from batchtui.exchange.csv_form import HEADER, unguarded
from batchtui.exchange.requests_from_json import SHOWN_NOTES, grade_from_text, shown
from batchtui.exchange.source import MOST_FAULTS, FaultError, InputError, Source
from batchtui.model import Context, Request

COLUMNS = ("query", "context", "id", "relevance", "external_reference")
DELIMITERS = (",", "\t", ";", "|")
_LONGEST_HEADER = 64 * 1024


@dataclass(frozen=True)
class TableRead:
    """The requests of a table; `needs_query` where it has no column for one."""

    requests: tuple[Request, ...]
    needs_query: bool
    notes: tuple[str, ...]


def is_table(data: bytes, *, by_name: bool) -> Literal["csv", "tsv"] | None:
    """Whether it is a table: its first line names a query and a context, or its file name says so."""
    header = _header_line(data)
    delimiter, names = _delimiter(header)
    known = {"query", "context"} & set(names)
    if len(known) == 2 or by_name:
        return "tsv" if delimiter == "\t" else "csv"
    return None


def read_table(source: Source) -> TableRead:
    """Read a table whole; rows with one external_reference, or without it one query, are one request."""
    source.check_encoding()
    source.check_lines()
    delimiter, names = _delimiter(_header_line(source.data))
    _check_header(source, names)
    try:
        return _Table(source, names).read(delimiter, quoted=True)
    except _QuotingError as error:
        if delimiter != "\t":
            raise error.told from None
        return _Table(source, names).read(delimiter, quoted=False)


class _QuotingError(Exception):
    def __init__(self, told: InputError) -> None:
        super().__init__(told)
        self.told = told


@dataclass
class _Group:
    query: str
    line: int
    external_reference: str | None
    contexts: list[Context] = field(default_factory=list)


class _Table:
    def __init__(self, source: Source, names: list[str]) -> None:
        self._source = source
        self._names = names
        self._place = {name: names.index(name) for name in COLUMNS if name in names}
        self._is_guarded = tuple(names) == HEADER
        self._groups: dict[tuple[str, str], _Group] = {}
        self._first: tuple[FaultError, int] | None = None
        self._faults = 0
        self._contexts = 0

    def read(self, delimiter: str, *, quoted: bool) -> TableRead:
        csv.field_size_limit(max(csv.field_size_limit(), self._source.limits.bytes))
        rows = csv.reader(
            self._lines(delimiter),
            delimiter=delimiter,
            strict=True,
            quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE,
        )
        line = 1
        try:
            next(rows)
            line = rows.line_num + 1
            for row in rows:
                self._take(row, line)
                line = rows.line_num + 1
        except csv.Error as error:
            told = self._source.error(
                f"the row is not well quoted: {error}",
                'write a quotation mark inside quotes as ""',
                line=line,
            )
            raise _QuotingError(told) from None
        self._finish()
        requests = tuple(
            Request(group.query, tuple(group.contexts), group.external_reference)
            for group in self._groups.values()
        )
        return TableRead(requests, "query" not in self._place, self._notes(quoted))

    def _lines(self, delimiter: str) -> Iterator[str]:
        text, size = self._source.text, len(self._source.data)
        most = self._source.limits.pieces
        done = 0
        for line in io.StringIO(text, newline=""):
            done += len(line)
            self._source.advance(done * size // len(text))
            if len(line) > most and line.count(delimiter) > most:
                raise self._source.too_many("cells in a row")
            yield line

    def _take(self, row: list[str], line: int) -> None:
        if not any(row):
            return
        try:
            self._add(row, line)
        except FaultError as problem:
            self._faults += 1
            self._first = self._first or (problem, line)
            if self._faults == MOST_FAULTS:
                self._finish()

    def _finish(self) -> None:
        if self._first is not None:
            problem, line = self._first
            raise self._source.error(problem.thing, problem.remedy, line=line, more=self._faults - 1)

    def _add(self, row: list[str], line: int) -> None:
        if len(row) > len(self._names):
            raise FaultError(
                f"the row has {len(row)} cells and the header {len(self._names)}",
                "put a text that holds a separator in quotation marks",
            )
        text = self._cell(row, "context")
        if not text:
            raise FaultError("the context is empty", "write its text, or remove the row")
        self._contexts += 1
        if self._contexts > self._source.limits.contexts:
            raise self._source.error(
                f"there are more than {self._source.limits.contexts:,} contexts",
                "make it several files",
                line=line,
            )
        context = Context(text, self._cell(row, "id") or None, grade_from_text(self._cell(row, "relevance")))
        self._group(row, line).contexts.append(context)

    def _group(self, row: list[str], line: int) -> _Group:
        query = self._cell(row, "query")
        reference = self._cell(row, "external_reference")
        key = ("reference", reference) if reference else ("query", query)
        group = self._groups.get(key)
        if group is None:
            if not query and "query" in self._place:
                raise FaultError("the query is empty", "write one, or remove the row")
            group = self._groups[key] = _Group(query, line, reference or None)
        elif query and query != group.query:
            raise FaultError(
                f"external_reference {shown(reference)} has another query in line {group.line}",
                "give each query a reference of its own",
            )
        return group

    def _cell(self, row: list[str], name: str) -> str:
        place = self._place.get(name)
        text = row[place] if place is not None and place < len(row) else ""
        return unguarded(text) if self._is_guarded else text

    def _notes(self, quoted: bool) -> tuple[str, ...]:
        unknown = [name for name in self._names if name not in COLUMNS]
        notes = [f"the column {shown(name)} is not known and was left out" for name in unknown[:SHOWN_NOTES]]
        if len(unknown) > SHOWN_NOTES:
            notes.append(f"{len(unknown) - SHOWN_NOTES:,} more columns are not known and were left out")
        if not quoted:
            notes.append("quotation marks were taken as they stand")
        return tuple(notes)


def _header_line(data: bytes) -> str:
    end = data.find(b"\n", 0, _LONGEST_HEADER)
    line = data[: end if end >= 0 else _LONGEST_HEADER].decode("utf-8", "replace")
    return line.split("\r", 1)[0]


def _delimiter(header: str) -> tuple[str, list[str]]:
    """The delimiter that makes the most known names of the header, and the names."""
    best: tuple[int, str, list[str]] = (-1, ",", [])
    for delimiter in DELIMITERS:
        try:
            cells = next(csv.reader([header], delimiter=delimiter), [])
        except csv.Error:
            continue
        names = [cell.strip().lower() for cell in cells]
        known = sum(name in COLUMNS for name in names)
        if known > best[0]:
            best = known, delimiter, names
    return best[1], best[2]


def _check_header(source: Source, names: list[str]) -> None:
    if "context" not in names:
        raise source.error(
            "no column is named context",
            "name the columns query and context in the first line",
            line=1,
        )
    for name in COLUMNS:
        if names.count(name) > 1:
            raise source.error(f"two columns are named {name}", "rename one of them", line=1)
