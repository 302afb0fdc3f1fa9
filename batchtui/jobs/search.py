"""Which jobs a query finds and in which order: SQL over covering indexes, and full text as it is typed."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from batchtui.model import JobState, Request

INDEXED_CHARACTERS = 65_536
"""Of each job, so many characters of its queries, of its contexts and of its references can be found."""

MOST_TERMS = 16

_TERM = re.compile(r"[^\W_]+")
_UNSPACED = re.compile(r"([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff])")

Sort = Literal["newest", "oldest", "tokens", "metric"]


@dataclass(frozen=True)
class JobQuery:
    """Which jobs to list, and how. Pinned jobs come first in `newest`.

    Every word of `text` must begin a word of the job's label, note, model, queries, contexts or references,
    or the name of its state.
    """

    text: str = ""
    states: frozenset[JobState] = frozenset(JobState)
    sort: Sort = "newest"
    deleted: bool = False

    @property
    def counted(self) -> bool:
        """Whether the counts by state alone tell how many jobs there are."""
        return not terms_of(self.text)


@dataclass(frozen=True)
class Selection:
    """An SQL condition on `jobs` with its values, and the order."""

    where: str
    values: tuple[object, ...]
    order: str
    order_columns: tuple[str, ...]

    @property
    def order_from_the_end(self) -> str:
        """The same order read from its last row to its first; SQLite sorts NULL as the lowest value."""
        turned = (
            term.removesuffix(" DESC") if term.endswith(" DESC") else f"{term} DESC"
            for term in self.order.split(", ")
        )
        return ", ".join(turned)

    def before(self, row: Sequence[object]) -> list[tuple[str, tuple[object, ...]]]:
        """Conditions, of which at most one holds, of standing before a row of `order_columns`."""
        if len(row) == 1:
            return [("id < ?", tuple(row))]
        column = self.order_columns[0]
        value, job_id = row
        if value is None:
            return [(f"{column} IS NOT NULL", ()), (f"{column} IS NULL AND id > ?", (job_id,))]
        return [(f"{column} > ?", (value,)), (f"{column} = ? AND id > ?", (value, job_id))]


_ORDERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "newest": ("pinned DESC, id DESC", ("pinned", "id")),
    "oldest": ("id", ("id",)),
    "tokens": ("total_tokens DESC, id DESC", ("total_tokens", "id")),
    "metric": ("ndcg_at_10 DESC, id DESC", ("ndcg_at_10", "id")),
}


def select(query: JobQuery) -> Selection:
    """The condition and the order of a query."""
    where = ["deleted = ?"]
    values: list[object] = [int(query.deleted)]
    if query.states != frozenset(JobState):
        where.append(f"state IN ({', '.join('?' * len(query.states))})")
        values += sorted(query.states)
    for term in terms_of(query.text):
        condition, term_values = _term_condition(term)
        where.append(condition)
        values += term_values
    order, columns = _ORDERS[query.sort]
    return Selection(" AND ".join(where), tuple(values), order, columns)


def _term_condition(term: str) -> tuple[str, list[object]]:
    match = f'"{term}"*'
    condition = (
        "id IN (SELECT rowid FROM job_texts WHERE job_texts MATCH ?"
        " UNION ALL SELECT rowid FROM job_words WHERE job_words MATCH ?)"
    )
    states = [state for state in JobState if state.startswith(term.lower())]
    if not states:
        return condition, [match, match]
    return f"({condition} OR state IN ({', '.join('?' * len(states))}))", [match, match, *states]


def terms_of(text: str) -> tuple[str, ...]:
    """The words to find, at most MOST_TERMS; text without a letter or digit has none."""
    composed = unicodedata.normalize("NFC", text[:1_000])
    runs = _TERM.findall(composed)
    return tuple(_spaced(run).strip() for run in runs[:MOST_TERMS])


def indexed_text(requests: Sequence[Request]) -> tuple[str, str, str]:
    """Queries, contexts and references of a job as they are indexed; the same text takes them out again."""
    queries = _joined([request.query for request in requests])
    contexts = _joined([context.text for request in requests for context in request.contexts])
    references = _joined([request.external_reference or "" for request in requests])
    return queries, contexts, references


def indexed_words(text: str) -> str:
    """A label or note as it is indexed."""
    return _joined([text])


def _joined(texts: Sequence[str]) -> str:
    pieces: list[str] = []
    room = INDEXED_CHARACTERS
    for text in texts:
        if room <= 0:
            break
        pieces.append(text[:room])
        room -= len(text) + 1
    return _spaced(unicodedata.normalize("NFC", "\n".join(pieces)).replace("\0", " "))


def _spaced(text: str) -> str:
    """Scripts written without spaces, character by character, so that a word inside a run is found."""
    return text if text.isascii() else _UNSPACED.sub(r" \1 ", text)
