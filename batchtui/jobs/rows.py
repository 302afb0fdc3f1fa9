"""The one place where rows of the store become jobs and parts."""

from typing import Any

import msgspec

from batchtui.jobs.parts import Part
from batchtui.model import Job, JobError

_PLAIN = (
    "id",
    "state",
    "backend",
    "model",
    "created_at",
    "requests",
    "contexts",
    "label",
    "note",
    "request_id",
    "account_id",
    "submitted_at",
    "started_at",
    "finished_at",
    "failed_requests",
    "scorer",
    "next_ask_at",
    "parts",
    "parts_done",
    "body_bytes",
    "ndcg_at_10",
)
_TIMES = ("created_at", "submitted_at", "started_at", "finished_at", "next_ask_at")
# The last second of the last year that a date can have.
_LAST_TIME = 253_402_300_799
JOB_COLUMNS = ", ".join(
    (*_PLAIN, "pinned", "error", "problem", "prompt_tokens", "completion_tokens", "total_tokens")
)

_PART_NAMES = Part.__struct_fields__
_OF_THE_JOB = frozenset({"account_id", "model", "takes_batches"})
PART_COLUMNS = ", ".join(f"{'jobs' if name in _OF_THE_JOB else 'parts'}.{name}" for name in _PART_NAMES)

_error_decoder = msgspec.json.Decoder(JobError)


def read_job(row: tuple[Any, ...]) -> Job:
    """A Job from a row of JOB_COLUMNS."""
    *plain, pinned, error, problem, prompt, completion, total = row
    values: dict[str, Any] = dict(zip(_PLAIN, plain, strict=True))
    values["pinned"] = bool(pinned)
    values["error"] = decode_error(error)
    values["problem"] = decode_error(problem)
    tokens = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": total}
    values["usage"] = None if total is None else tokens
    for name in _TIMES:
        # Of any other type than a number it is told by the conversion.
        if isinstance(values[name], (int, float)) and not 0 <= values[name] <= _LAST_TIME:
            raise msgspec.ValidationError(f"{name} is {values[name]}, which is no time")
    return msgspec.convert(values, Job)


def read_part(row: tuple[Any, ...]) -> Part:
    """A Part from a row of PART_COLUMNS."""
    values: dict[str, Any] = dict(zip(_PART_NAMES, row, strict=True))
    values["takes_batches"] = bool(values["takes_batches"])
    return msgspec.convert(values, Part)


def encode_error(error: JobError | None) -> str | None:
    """A JobError as the store keeps it."""
    if error is None:
        return None
    whole = JobError(error.code, storable(error.message), storable(error.hint))
    return msgspec.json.encode(whole).decode()


def decode_error(text: str | None) -> JobError | None:
    """A JobError from the store."""
    return None if text is None else _error_decoder.decode(text)


def storable(text: str) -> str:
    """The text with what UTF-8 can't hold (lone surrogates) replaced."""
    return text if text.isascii() else text.encode(errors="replace").decode()
