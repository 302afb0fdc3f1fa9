"""What a tester may ask for: spans of time, and one-off faults named in the `Batchtui-Fault` header.

A header holds one or more faults, with `;` between them:

- `3040` or any other code of the table of errors: that error, and nothing is taken.
- `retry-after=SECONDS`: goes with a 429.
- `502`: a gateway's HTML page, and nothing is taken.
- `lost`: the call is carried out, and answered with a gateway's HTML page.
- `cut`: the call is carried out, and the connection closes in the middle of the answer.
- `delay=SECONDS`: the call is carried out, and answered that much later.
- on a submission: `latency=S` or `LOW-HIGH`, `running=S` or `LOW-HIGH`, `shuffle`, `results-index`,
  `fail=0,2` (those requests fail), `fail-batch` (the whole batch fails), `drop` (the batch is lost from the
  queue: collecting gives 5504).
"""

import math
from dataclasses import dataclass, replace
from typing import Any

from batchtui.emulator.errors import KNOWN_ERRORS

FAULT_HEADER = "batchtui-fault"
LONGEST_SECONDS = 366 * 86_400.0
# A call that is delayed holds a connection.
LONGEST_DELAY = 600.0


@dataclass(frozen=True)
class Span:
    """A span of seconds to draw from; `low` equals `high` where it is one number."""

    low: float
    high: float


def parse_duration(text: str) -> float:
    """Seconds, from 0 to a year; ValueError says what is wrong."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds <= LONGEST_SECONDS:
        raise ValueError(f"{text!r} is not a number of seconds, such as 2 or 0.5")
    return seconds


def parse_span(text: str) -> Span:
    """`2` or `5-20`, in seconds; ValueError says what is wrong."""
    low, dash, high = text.partition("-")
    try:
        span = Span(parse_duration(low), parse_duration(high if dash else low))
    except ValueError:
        raise ValueError(f"{text!r} is not a number of seconds or a range, such as 2 or 5-20") from None
    if span.low > span.high:
        raise ValueError(f"{text!r} ends before it begins")
    return span


@dataclass(frozen=True)
class Fault:
    """What one call is to suffer; the defaults are no fault at all. Times are seconds."""

    code: int | None = None
    retry_after: float | None = None
    gateway_page: bool = False
    lost: bool = False
    cut: bool = False
    delay: float = 0.0
    latency: Span | None = None
    running: Span | None = None
    shuffle: bool | None = None
    results_index: bool | None = None
    failing: tuple[int, ...] = ()
    fail_batch: bool = False
    drop: bool = False


NO_FAULT = Fault()

_FLAGS = {
    "502": "gateway_page",
    "lost": "lost",
    "cut": "cut",
    "shuffle": "shuffle",
    "results-index": "results_index",
    "fail-batch": "fail_batch",
    "drop": "drop",
}
_DURATIONS = {"retry-after": "retry_after", "delay": "delay"}
_SPANS = ("latency", "running")


def parse_fault(header: str) -> Fault:
    """The faults that the value of a `Batchtui-Fault` header names; ValueError names what is not one."""
    fault = NO_FAULT
    for part in header.split(";"):
        if word := part.strip().lower():
            fault = _with_fault(fault, word)
    return fault


def _with_fault(fault: Fault, word: str) -> Fault:
    changes: dict[str, Any]
    name, equals, value = word.partition("=")
    if word in _FLAGS:
        changes = {_FLAGS[word]: True}
    elif word.isascii() and word.isdigit() and int(word[:12]) in KNOWN_ERRORS:
        changes = {"code": int(word)}
    elif equals and name in _DURATIONS:
        changes = {_DURATIONS[name]: parse_duration(value)}
        if changes.get("delay", 0) > LONGEST_DELAY:
            raise ValueError(f"{word!r} is longer than {LONGEST_DELAY:g} seconds")
    elif equals and name in _SPANS:
        changes = {name: parse_span(value)}
    elif equals and name == "fail":
        changes = {"failing": _parse_places(value)}
    else:
        raise ValueError(f"{word!r} is no fault that the emulator knows")
    return replace(fault, **changes)


def _parse_places(text: str) -> tuple[int, ...]:
    places = text.split(",")
    if not all(place.strip().isascii() and place.strip().isdigit() and len(place) < 10 for place in places):
        raise ValueError(f"{text!r} is not a list of places from 0, such as 0,2")
    return tuple(int(place) for place in places)
