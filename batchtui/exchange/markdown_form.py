"""Rankings as Markdown tables, in which no text of others is markup."""

import re

from batchtui.exchange.ranked import RankedJob, RankedRequest
from batchtui.exchange.summary import job_line, metrics_line, score_text
from batchtui.text import one_line

_SPECIAL = re.compile(r"[\\`*_\[\]|~$]|:(?=//|[\w+-]+:)|(?<=[wW]{3})\.")
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "@": "&#64;"})
_TABLE_HEAD = "| rank | score | was | judged | id | context |\n| ---: | ---: | ---: | ---: | --- | --- |"


def write_markdown(ranked: RankedJob) -> str:
    """A heading for the job, one for each request, and under it the ranking as a table."""
    job = ranked.job
    parts = [f"# Job {job.id}" + (f": {escaped(job.label)}" if job.label else ""), escaped(job_line(job))]
    if ranked.metrics is not None:
        parts.append(metrics_line(ranked.metrics))
    if job.error is not None:
        # The words before it keep a message from opening a list, a heading or a rule.
        parts.append(f"Error: {escaped(job.error.message)}")
        parts += [escaped(job.error.hint)] if job.error.hint else []
    for request in ranked.requests:
        parts += _section(request)
    return "\n\n".join(parts) + "\n"


def escaped(text: str) -> str:
    """A text as one line in which Markdown, HTML, links, maths and table cells find nothing of theirs."""
    return _SPECIAL.sub(r"\\\g<0>", one_line(text)).translate(_ENTITIES)


def _section(request: RankedRequest) -> list[str]:
    reference = request.request.external_reference
    named = f" ({escaped(reference)})" if reference else ""
    parts = [f"## {request.number}{named}: {escaped(request.request.query)}"]
    if request.metrics is not None:
        parts.append(metrics_line(request.metrics))
    if request.trouble is not None:
        parts.append(f"Trouble: {escaped(request.trouble)}")
    if request.rows:
        lines = [_TABLE_HEAD]
        for row in request.rows:
            grade = "" if row.grade is None else row.grade
            identifier, text = escaped(row.context.id or ""), escaped(row.context.text)
            score = score_text(row.score)
            lines.append(f"| {row.rank} | {score} | {row.index + 1} | {grade} | {identifier} | {text} |")
        parts.append("\n".join(lines))
    return parts
