"""Rankings as CSV: one row a ranked context, and no cell that a spreadsheet runs as a formula."""

import csv
import io
import re

from batchtui.exchange.ranked import RankedJob
from batchtui.text import safe

HEADER = ("external_reference", "query", "rank", "index", "id", "score", "relevance", "context")
_BEFORE = r"""((?:\A|[;|\n])(?:[^\S\n]|["'])*)"""
_FORMULA = r"(?=[-=+@−﹢﹣﹦﹫＝＋－＠])"
_UNGUARDED = re.compile(_BEFORE + _FORMULA)
_GUARDED = re.compile(f"{_BEFORE}'{_FORMULA}")


def write_csv(ranked: RankedJob) -> str:
    """The rankings as CSV.

    What begins like a formula gets an apostrophe before it, and what a terminal would obey is shown by a
    picture of itself. Reading takes the apostrophes away again; JSON and JSONL keep every character.
    """
    out = io.StringIO(newline="")
    # Quotes around every text keep it in one cell for readers that split at semicolons as well.
    writer = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
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
    """A text as a cell that neither a spreadsheet nor a terminal acts on.

    Spreadsheets of other countries split at semicolons or line breaks inside of it, so a formula may begin
    there as well (https://owasp.org/www-community/attacks/CSV_Injection).
    """
    return _UNGUARDED.sub(r"\1'", safe(text))


def unguarded(cell: str) -> str:
    """The text of a guarded cell, without the apostrophes that guard it."""
    return _GUARDED.sub(r"\1", cell)
