"""Rankings as CSV: one row a ranked context, and no cell that a spreadsheet runs as a formula."""

import csv
import io

from batchtui.exchange.ranked import RankedJob
from batchtui.text import safe

HEADER = ("external_reference", "query", "rank", "index", "id", "score", "relevance", "context")
FORMULA_STARTS = tuple("=+-@\t\r\n＝＋－＠")
GUARD = "'"


def write_csv(ranked: RankedJob) -> str:
    """The rankings as CSV.

    A text that begins like a formula gets an apostrophe before it, as spreadsheets know it
    (https://owasp.org/www-community/attacks/CSV_Injection), and what a terminal would obey is shown by a
    picture of itself. Both are for people: JSON and JSONL keep every character.
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEADER)
    for request in ranked.requests:
        reference = guarded(request.request.external_reference or "")
        query = guarded(request.request.query)
        for row in request.rows:
            grade = "" if row.grade is None else row.grade
            identifier = guarded(row.context.id or "")
            text = guarded(row.context.text)
            writer.writerow((reference, query, row.rank, row.index, identifier, row.score, grade, text))
    return out.getvalue()


def guarded(text: str) -> str:
    """A text as a cell that neither a spreadsheet nor a terminal acts on."""
    guard = GUARD if text.lstrip(" ").startswith(FORMULA_STARTS) else ""
    return guard + safe(text)
