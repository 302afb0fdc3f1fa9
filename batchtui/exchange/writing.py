"""Results out: one job in any of the forms that `batchtui show --format` knows."""

from collections.abc import Sequence
from typing import Literal, get_args

from batchtui.exchange.csv_form import write_csv
from batchtui.exchange.curl_form import write_curl
from batchtui.exchange.json_form import write_json, write_jsonl
from batchtui.exchange.markdown_form import write_markdown
from batchtui.exchange.ranked import Grades, ranked_job
from batchtui.exchange.table_form import DEFAULT_WIDTH, write_table
from batchtui.exchange.trec_form import write_qrels, write_run
from batchtui.model import Batch, Job, RequestResult
from batchtui.workers_ai.catalogue import KNOWN

ExportForm = Literal["table", "json", "jsonl", "csv", "md", "trec", "qrels", "curl"]
EXPORT_FORMS: tuple[ExportForm, ...] = get_args(ExportForm)


def export(
    job: Job,
    batch: Batch,
    results: Sequence[RequestResult] | None,
    grades: Grades | None,
    form: ExportForm,
    *,
    width: int = DEFAULT_WIDTH,
    linear_gain: bool = False,
    takes_batches: bool | None = None,
) -> str:
    """A job in one form, ending in a line break unless it is empty.

    `grades` maps, for each request, the index of a context to its grade; None takes what the contexts bear.
    `width` is for the table alone. `takes_batches` is for curl alone; None asks the catalogue, where a model
    that is missing counts as one that does. JSON and JSONL keep every character, and yet are safe to print.
    `trec` has lines only where there are rankings, `qrels` only where there are grades.
    """
    match form:
        case "jsonl":
            return write_jsonl(batch, grades)
        case "qrels":
            return write_qrels(batch, grades)
        case "curl":
            return write_curl(job, batch, takes_batches=_takes_batches(batch.model, takes_batches))
    ranked = ranked_job(job, batch, results, grades, linear_gain=linear_gain)
    match form:
        case "json":
            return write_json(ranked)
        case "csv":
            return write_csv(ranked)
        case "md":
            return write_markdown(ranked)
        case "trec":
            return write_run(ranked)
        case "table":
            return write_table(ranked, width)


def _takes_batches(model: str, told: bool | None) -> bool:
    if told is not None:
        return told
    return model not in KNOWN or KNOWN[model].takes_batches
