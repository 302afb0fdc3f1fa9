"""Rankings as a TREC run and judgments as qrels, as trec_eval and ir-measures read them."""

import math
import re
import struct
from collections.abc import Iterable

from batchtui.exchange.ranked import Grades, RankedJob, grades_in
from batchtui.model import Batch, Request
from batchtui.text import safe

_SPACE = re.compile(r"\s+")
_SINGLE = struct.Struct("f")
# Near zero the next lower number is so small that some tools take it for zero.
LEAST_STEP = 1e-9


def write_run(ranked: RankedJob) -> str:
    """`query Q0 document rank score tag`, a line a ranked context.

    Those tools order by score alone, in single precision, and ties by document. To keep the ranking, a
    score that is no less than the one before it is written as the next lower number of single precision, a
    billionth lower at least.
    """
    lines = []
    tag = f"batchtui-{ranked.job.id}"
    for query, request in zip(query_ids(ranked.batch), ranked.requests, strict=True):
        documents = document_ids(request.request)
        before = math.inf
        for row in request.rows:
            score = _single(row.score)
            written = repr(row.score)
            if not score < before:
                score = min(_next_below(before), _single(before - LEAST_STEP))
                written = f"{score:.9g}"
            before = score
            lines.append(f"{query} Q0 {documents[row.index]} {row.rank} {written} {tag}\n")
    return "".join(lines)


def write_qrels(batch: Batch, grades: Grades | None = None) -> str:
    """`query 0 document grade`, a line a judged context; without `grades` those of the batch itself count."""
    grades = grades_in(batch) if grades is None else grades
    lines = []
    for query, request, judged in zip(query_ids(batch), batch.requests, grades, strict=True):
        documents = document_ids(request)
        lines += [f"{query} 0 {documents[index]} {grade}\n" for index, grade in sorted(judged.items())]
    return "".join(lines)


def query_ids(batch: Batch) -> tuple[str, ...]:
    """A name without spaces for each request, each once: its external_reference, or `q1`, `q2` …"""
    return _unique(request.external_reference or f"q{n}" for n, request in enumerate(batch.requests, 1))


def document_ids(request: Request) -> tuple[str, ...]:
    """A name without spaces for each context, each once in its request: its id, or `d0`, `d1` … by index."""
    return _unique(context.id or f"d{index}" for index, context in enumerate(request.contexts))


def _unique(names: Iterable[str]) -> tuple[str, ...]:
    names = tuple(names)
    plain = [_SPACE.sub("_", safe(name)) for name in names]
    kept_as_given = {name for name, without_space in zip(names, plain, strict=True) if name == without_space}
    taken: set[str] = set()
    counts: dict[str, int] = {}
    unique = []
    for name, without_space in zip(names, plain, strict=True):
        candidate = without_space
        while candidate in taken or (candidate != name and candidate in kept_as_given):
            counts[without_space] = counts.get(without_space, 1) + 1
            candidate = f"{without_space}_{counts[without_space]}"
        taken.add(candidate)
        unique.append(candidate)
    return tuple(unique)


def _single(score: float) -> float:
    try:
        return float(_SINGLE.unpack(_SINGLE.pack(score))[0])
    except OverflowError:
        return math.copysign(math.inf, score)


def _next_below(score: float) -> float:
    """The next lower number of single precision: among those of one sign, the bits order as the numbers."""
    (bits,) = struct.unpack("<i", struct.pack("<f", score))
    if score == 0:
        bits = -0x7FFFFFFF
    else:
        bits += -1 if score > 0 else 1
    return float(struct.unpack("<f", struct.pack("<i", bits))[0])
